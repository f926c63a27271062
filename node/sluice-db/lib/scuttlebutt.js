'use strict'
const { native } = require('./native')

class Scuttlebutt {
  #database

  constructor (database) { this.#database = database }

  addIdentity (secretFile, options) {
    return this.#change(options, plain => native.addIdentity(this.#database.handle, secretFile, plain))
  }

  addGroupKey (key, options) {
    return this.#change(options, plain => native.addGroupKey(this.#database.handle, key, plain))
  }

  addOwnKey (key, options) {
    return this.#change(options, plain => native.addOwnKey(this.#database.handle, key, plain))
  }

  async keys () { return native.keys(this.#database.handle) }

  dropKey (id, options) { return this.#change(options, plain => native.dropKey(this.#database.handle, id, plain)) }
  eraseKey (id, options) { return this.#change(options, plain => native.eraseKey(this.#database.handle, id, plain)) }

  addBlob (id, bytes, options) {
    return this.#change(options, plain => native.addBlob(this.#database.handle, id, bytes, plain))
  }

  dropBlob (id, options) { return this.#change(options, plain => native.dropBlob(this.#database.handle, id, plain)) }

  block (feed, options) {
    const erase = () => options !== undefined && !!options.erase // Asked when they are known to be options.
    return this.#change(options, plain => native.block(this.#database.handle, feed, erase(), plain))
  }

  unblock (feed, options) {
    return this.#change(options, plain => native.unblock(this.#database.handle, feed, plain))
  }

  #change (options, make) { return this.#database.change(options, make) }
}

module.exports = { Scuttlebutt }
