'use strict'
const { Database, open } = require('./lib/database')
const { Message } = require('./lib/messages')
const { SluiceError } = require('./lib/errors')

module.exports = { open, Database, Message, SluiceError }
