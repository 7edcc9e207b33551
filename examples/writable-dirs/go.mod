module example.com/writable-dirs

go 1.24
