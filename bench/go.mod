module github.com/ratmom/ratmom/bench

go 1.26

replace github.com/ratmom/ratmom => ../
