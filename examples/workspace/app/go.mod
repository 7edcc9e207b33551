module example.com/workspace/app

go 1.24

require example.com/workspace/greeting v0.0.0
