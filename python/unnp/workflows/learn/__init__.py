"""Learning loops: propose structures, select, label, train, judge, and again."""
