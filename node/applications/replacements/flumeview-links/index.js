'use strict'
module.exports = require('sluice-flumedb/links')
