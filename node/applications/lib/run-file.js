'use strict'
const fs = require('fs')
const path = require('path')
const { spawn } = require('child_process')

// Runs one test file by itself, and tells { passed, failed, ended, seconds }: assertions, and how it
// ended ('well', 'badly', or 'late' when it had to be stopped). Its output is kept beside.
module.exports = async function runFile (folder, file, { seconds, environment }) {
  const output = path.join(folder, 'output', file + '.tap')
  fs.mkdirSync(path.dirname(output), { recursive: true })
  const began = Date.now()
  const ended = await run(folder, file, output, { seconds, environment })
  return { ...count(fs.readFileSync(output, 'utf8')), ended, seconds: Math.round((Date.now() - began) / 1000) }
}

function run (folder, file, output, { seconds, environment }) {
  // Tests use fixed names in the folder for temporary files, and ports: one at a time, each in its own.
  const home = path.join(folder, 'home')
  fs.rmSync(home, { recursive: true, force: true })
  fs.mkdirSync(home)
  const fd = fs.openSync(output, 'w')
  const child = spawn(process.execPath, [file], {
    cwd: folder,
    env: { ...process.env, ...environment, HOME: home, TMPDIR: home },
    stdio: ['ignore', fd, fd],
    detached: true // Some start servers: a group of their own is ended as a whole.
  })
  fs.closeSync(fd)
  return new Promise(resolve => {
    let late = false
    const timer = setTimeout(() => { late = true; end(child) }, seconds * 1000)
    child.on('exit', code => {
      clearTimeout(timer)
      end(child)
      resolve(late ? 'late' : code === 0 ? 'well' : 'badly')
    })
  })
}

function end (child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

function count (tap) {
  return {
    passed: (tap.match(/^ok \d+/mg) || []).length,
    failed: (tap.match(/^not ok \d+/mg) || []).length
  }
}
