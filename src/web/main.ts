import { reportMissing } from './design/lazy-part.js';
import './styles/page.css';
import './design/copy-button.js';
import './design/menu.js';
import './blocks/code.js';
import './blocks/media.js';
import './blocks/parts.js';
import './compose/composer.js';
import './sign-in/sign-in-form.js';
import './thread/long-text.js';
import './thread/second-press-button.js';
import { restrictFrames } from './blocks/frame-policy.js';
import { Chat } from './model/chat.js';
import { claimClientName } from './model/client-name.js';
import { PageStorage } from './model/page-storage.js';
import { readPlace } from './model/place.js';
import { ChatApp } from './shell/app.js';
import { keepAboveKeyboard } from './shell/viewport-keeper.js';
import { exchangeCode, takeCode } from './sign-in/page-code.js';
import { texts } from './texts.js';
import { copySelection } from './thread/copy-selection.js';

restrictFrames();
const storage = new PageStorage(() => ({ local: localStorage, session: sessionStorage }));
// The folder of the page's address: a proxy may serve the gateway below a path.
const chat = new Chat(storage, new URL('.', location.href).href, () => readPlace(location.hash).conversation);
const app = new ChatApp();
app.chat = chat;
document.body.append(app);
keepAboveKeyboard(app);

addEventListener('storage', ({ key }) => chat.storageChanged(key));
chat.personChanged.subscribe(() => location.reload());
addEventListener('online', () => chat.link.networkChanged());
addEventListener('offline', () => chat.link.networkChanged());
document.addEventListener('copy', copySelection);
addEventListener('pagehide', () => chat.presence.left());
document.addEventListener('visibilitychange', () => {
  const isVisible = document.visibilityState === 'visible';
  chat.presence.shown(isVisible);
  if (!isVisible) return;
  chat.link.reconnect();
  chat.seen();
  // Another page may have set up a model meanwhile.
  if (chat.isConnected) void chat.link.readIdentity();
});

// Rejects in a browser that cannot show the page, whose note then stays.
await app.updateComplete;
document.getElementById('not-running')?.remove();
await start();
import('./later.js').catch(reportMissing);

async function start(): Promise<void> {
  const code = takeCode(location, history);
  await claimClientName(storage);
  if (code === undefined) {
    chat.recall();
    return chat.link.start();
  }
  const outcome = await exchangeCode(code);
  // The tab's stored token may still be valid, or the gateway may require none.
  if ('failure' in outcome) return chat.link.start(texts.signIn.code[outcome.failure]);
  storage.token = outcome.token;
  chat.link.start();
}
