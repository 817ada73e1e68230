//go:build race

package weir_test

// raceEnabled is for tests that do less when everything takes longer.
const raceEnabled = true
