/**
 * Sends the kernel's messages one after the other: tslab does not wait for the last one, and ZeroMQ refuses a message
 * while another is on its way ("Socket is busy writing"), which ended a cell for good. To be required before tslab.
 */
const path = require('node:path');

const tslab = path.dirname(require.resolve('tslab/package.json'));
const { Publisher, Router } = require(require.resolve('zeromq', { paths: [tslab] }));
for (const { prototype } of [Publisher, Router]) sendInTurn(prototype);

/** @param {{ send(message: unknown): Promise<void> }} prototype of sockets, whose `send` waits for the one before */
function sendInTurn(prototype) {
  const { send } = prototype;
  const last = new WeakMap();
  // Defined, since a property inherited from the native class cannot be assigned.
  Object.defineProperty(prototype, 'send', {
    value(message) {
      const sent = (last.get(this) ?? Promise.resolve()).then(() => send.call(this, message));
      last.set(
        this,
        sent.catch(() => undefined), // a failed one stops no other
      );
      return sent;
    },
  });
}

module.exports = { sendInTurn };
