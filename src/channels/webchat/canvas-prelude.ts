/**
 * What stands before the agent's page: it takes the port that the page around the frame gives to this document, and offers
 * it as `canvas`. What is sent before the port has come waits for it. A page that is a document of its own leaves.
 *
 * It keeps the functions that it needs, because the page can replace those of the document: the port stays with it, and it
 * alone says whether a person has just pressed something in the page.
 *
 * @param offer the code that offers the port to the page. It may use `send`, `isPressed` and `take`, which gets what comes
 */
const buildPrelude = (
  offer: string,
): string => `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><script>
(() => {
  if (top === self) location.replace(location.href.replace(/\\/page$/, ''));
  const around = parent;
  const { apply } = Reflect;
  const getter = (type, name) => Object.getOwnPropertyDescriptor(type.prototype, name).get;
  const [portsOf, sourceOf, dataOf] = ['ports', 'source', 'data'].map((name) => getter(MessageEvent, name));
  const { postMessage, start } = MessagePort.prototype;
  const listen = EventTarget.prototype.addEventListener;
  const { stopImmediatePropagation } = Event.prototype;
  const now = performance.now.bind(performance);
  const waiting = [];
  let take;
  let port;
  let pressedAt = -Infinity;
  let count = 0;
  for (const type of ['pointerdown', 'pointerup', 'click', 'keydown', 'change'])
    addEventListener(type, (event) => { if (event.isTrusted) pressedAt = now(); }, true);
  const send = (message) => {
    if (port) apply(postMessage, port, [message]);
    else if (count < 100) waiting[count++] = message;
  };
  const report = (problem) => send({ type: 'problem', problem });
  addEventListener('error', (event) => report(event.message + ' (line ' + event.lineno + ')'));
  addEventListener('unhandledrejection', (event) => report('unhandled rejection: ' + event.reason));
  const isPressed = () => now() - pressedAt < 1000;
  addEventListener('message', (event) => {
    if (port || apply(sourceOf, event, []) !== around) return;
    apply(stopImmediatePropagation, event, []);
    port = apply(portsOf, event, [])[0];
    if (take) {
      apply(listen, port, ['message', (heard) => take(apply(dataOf, heard, []))]);
      apply(start, port, []);
    }
    for (let i = 0; i < count; i++) send(waiting[i]);
  });
  ${offer}
})();
</script>
`;

/** What stands before the page of an agent: it is offered the port as `canvas`. */
export const CANVAS_PRELUDE = buildPrelude(`Object.defineProperty(self, 'canvas', { value: Object.freeze({
    action: (action, context) => send({ type: 'action', action, context, pressed: isPressed() }),
    resize: (height) => send({ type: 'resize', height }),
    openLink: (url) => send({ type: 'open_link', url, pressed: isPressed() }),
  }) });`);

/**
 * What stands before the page of an MCP server. Such a page speaks to `parent` and compares it with the source of what it
 * hears, so both are an object that stands for the port: a port of its own that leads nowhere.
 */
export const APP_PRELUDE = buildPrelude(`const { port1: host } = new MessageChannel();
  Object.defineProperty(host, 'postMessage', { value: (message) => send({ type: 'rpc', message, pressed: isPressed() }) });
  Object.defineProperty(self, 'parent', { value: host });
  take = (data) => dispatchEvent(new MessageEvent('message', { data, source: host }));`);
