module modelwarden.test/pause

go 1.26
