module example.com/wherry/inside

go 1.21
