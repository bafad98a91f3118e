// Where your backend listens; `make example` prints the address of the one in examples/backend.
module.exports = { backend: 'http://127.0.0.1:8000' };
