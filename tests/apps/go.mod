module example.com/wherry-apps

go 1.24
