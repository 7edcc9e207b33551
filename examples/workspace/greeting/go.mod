module example.com/workspace/greeting

go 1.24
