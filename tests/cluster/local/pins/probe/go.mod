module modelwarden.test/probe

go 1.26
