/**
 * What stands before the agent's page: it takes the port that the page around the frame gives to this document, and offers
 * it as `canvas`. What is sent before the port has come waits for it. A page that is a document of its own leaves.
 *
 * It keeps the functions that it needs, because the page can replace those of the document: the port stays with it, and it
 * alone says whether a person has just pressed something in the page.
 */
export const CANVAS_PRELUDE = `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><script>
(() => {
  if (top === self) location.replace(location.href.replace(/\\/page$/, ''));
  const around = parent;
  const { apply } = Reflect;
  const getter = (type, name) => Object.getOwnPropertyDescriptor(type.prototype, name).get;
  const [portsOf, sourceOf] = [getter(MessageEvent, 'ports'), getter(MessageEvent, 'source')];
  const { postMessage } = MessagePort.prototype;
  const { stopImmediatePropagation } = Event.prototype;
  const now = performance.now.bind(performance);
  const waiting = [];
  let port;
  let pressedAt = -Infinity;
  let count = 0;
  for (const type of ['pointerdown', 'pointerup', 'click', 'keydown', 'change'])
    addEventListener(type, (event) => { if (event.isTrusted) pressedAt = now(); }, true);
  const send = (message) => {
    if (port) apply(postMessage, port, [message]);
    else if (count < 100) waiting[count++] = message;
  };
  const isPressed = () => now() - pressedAt < 1000;
  addEventListener('message', (event) => {
    if (port || apply(sourceOf, event, []) !== around) return;
    apply(stopImmediatePropagation, event, []);
    port = apply(portsOf, event, [])[0];
    for (let i = 0; i < count; i++) send(waiting[i]);
  });
  Object.defineProperty(self, 'canvas', { value: Object.freeze({
    action: (action, context) => send({ type: 'action', action, context, pressed: isPressed() }),
    resize: (height) => send({ type: 'resize', height }),
    openLink: (url) => send({ type: 'open_link', url, pressed: isPressed() }),
  }) });
})();
</script>
`;
