// The page around the frame with an agent's page, for links that lead out of the chat. Actions need the chat.
import './outer.css';
import { isWebLink } from './web-link.js';

const TEXTS = {
  title: 'Page of the agent',
  left: 'The page has left, so it is no longer shown. Load this page again to see it.',
  action: 'Open the conversation to use this page: nothing was sent.',
  link: (address: string) => `The page wants to open ${address}`,
};

const address = `${location.href.replace(/[#?].*$/, '')}/page`;
const policy = document.createElement('meta');
policy.httpEquiv = 'Content-Security-Policy';
policy.content = `frame-src ${address}`;
document.head.append(policy);

const place = document.querySelector('main');
const frame = document.createElement('iframe');
frame.sandbox.add('allow-scripts');
frame.title = TEXTS.title;
frame.src = address;
let loads = 0;
frame.addEventListener('load', () => {
  // A second document is not the agent's page.
  if (++loads > 1) return say(TEXTS.left);
  const { port1, port2 } = new MessageChannel();
  port1.addEventListener('message', ({ data }: MessageEvent<unknown>) => hear(data));
  port1.start();
  // The frame has an opaque origin, which cannot be named.
  frame.contentWindow?.postMessage({ type: 'port' }, '*', [port2]);
});
place?.append(frame);

function hear(data: unknown): void {
  if (typeof data !== 'object' || data === null) return;
  const { type, url, pressed } = data as Readonly<Record<string, unknown>>;
  // A page acts only while a person presses something in it.
  if (pressed !== true) return;
  if (type === 'action') alert(TEXTS.action);
  if (type === 'open_link' && isWebLink(url) && confirm(TEXTS.link(url))) open(url, '_blank', 'noopener,noreferrer');
}

function say(text: string): void {
  const note = document.createElement('p');
  note.textContent = text;
  place?.replaceChildren(note);
}
