'use strict'
// A value that can be listened to, with the interface of obv and obz. Those two skip a listener, or
// call one that is no more, when somebody stops listening while they notify; and what their once()
// answers with stops nothing. Here both work.

module.exports = function createObservable () {
  let isSet = false
  let listeners = []

  function observable (listener, immediately) {
    return listen({ call: listener, once: false }, immediately)
  }
  observable.value = undefined

  observable.once = function (listener, immediately) {
    return listen({ call: listener, once: true }, immediately)
  }

  observable.set = function (value) {
    isSet = true
    observable.value = value
    // Those who wait for one value are told after those who follow all of them.
    const told = listeners.filter(one => !one.once).concat(listeners.filter(one => one.once))
    for (const one of told) {
      if (observable.value !== value) break // A listener has set another one, which all know by now.
      notify(one, value)
    }
    return observable
  }

  function listen (one, immediately) {
    if (isSet && immediately !== false) {
      one.call(observable.value)
      if (one.once) return () => {}
    }
    listeners = listeners.concat(one)
    return () => forget(one)
  }

  function notify (one, value) {
    if (!listeners.includes(one)) return
    if (one.once) forget(one)
    one.call(value)
  }

  function forget (one) {
    listeners = listeners.filter(other => other !== one)
  }

  return observable
}
