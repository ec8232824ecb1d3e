/**
 * What stands before the agent's page: it takes the port that the page around the frame gives to this document, and offers
 * it as `canvas`. What is sent before the port has come waits for it. A page that is a document of its own leaves.
 */
export const CANVAS_PRELUDE = `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><script>
(() => {
  if (top === self) location.replace(location.href.replace(/\\/page$/, ''));
  const around = parent;
  const waiting = [];
  let port;
  const send = (message) => (port ? port.postMessage(message) : void (waiting.length < 100 && waiting.push(message)));
  addEventListener('message', (event) => {
    if (port || event.source !== around || !event.ports[0]) return;
    event.stopImmediatePropagation();
    port = event.ports[0];
    for (const message of waiting) port.postMessage(message);
  });
  Object.defineProperty(self, 'canvas', { value: Object.freeze({
    action: (action, context) => send({ type: 'action', action, context }),
    resize: (height) => send({ type: 'resize', height }),
    openLink: (url) => send({ type: 'open_link', url }),
  }) });
})();
</script>
`;
