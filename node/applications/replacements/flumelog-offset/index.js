'use strict'
module.exports = require('flumelog-sluice')
