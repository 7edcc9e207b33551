module example.com/http-api

go 1.24
