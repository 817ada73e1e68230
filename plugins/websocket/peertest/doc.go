// Package peertest holds the WebSocket of weir against those of others: clients in Go
// (gorilla/websocket, coder/websocket, lxzan/gws), in Node (ws, undici) and in Python
// (websockets) talk to one server. All of it is tests, and a module of its own, so that
// the peers never enter the library's go.sum.
//
// The peers in Node come by npm ci in the folder node, the one in Python is Debian's
// package python3-websockets. Where they are missing, their tests are skipped, or fail
// if the environment says CI=true.
package peertest
