package tenant

// Nobody is the hash that an unknown address is held against.
const Nobody = nobody
