module example.com/embed-assets

go 1.24
