'use strict'

class SluiceError extends Error {
  constructor (message, code, errno) {
    super(message)
    this.name = 'SluiceError'
    this.code = code
    if (errno) this.errno = errno
  }
}

const closed = () => new SluiceError('the database is closed', 'closed')
const ended = what => new SluiceError(what, 'ended')
const invalid = what => new SluiceError(what, 'invalid_argument')

/** What the addon makes its errors with. */
function fromNative (message, code, errno) {
  return code === 'ended' && message === 'the database is closed' ? closed() : new SluiceError(message, code, errno)
}

module.exports = { SluiceError, closed, ended, invalid, fromNative }
