module example.com/multi-main

go 1.24
