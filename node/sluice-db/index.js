'use strict'
const { Database, open, OPEN_OPTIONS } = require('./lib/database')
const { Message } = require('./lib/messages')
const { SluiceError } = require('./lib/errors')

module.exports = { open, openOptions: OPEN_OPTIONS, Database, Message, SluiceError }
