package sock

// ErrnoOf is opened to the tests.
var ErrnoOf = errnoOf
