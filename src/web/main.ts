import './styles/page.css';
import './views/composer.js';
import './views/long-text.js';
import './views/markdown.js';
import './views/media.js';
import './views/sign-in.js';
import { Chat } from './chat.js';
import { claimClientName } from './client-name.js';
import { Memory } from './memory.js';
import { exchangeCode, takeCode } from './sign-in.js';
import { texts } from './texts.js';
import { ChatApp } from './views/app.js';

const memory = new Memory(() => ({ local: localStorage, session: sessionStorage }));
const chat = new Chat(memory, location.origin);
const app = new ChatApp();
app.chat = chat;
document.body.append(app);

addEventListener('storage', ({ key }) => chat.memoryChanged(key));
addEventListener('online', () => chat.link.networkChanged());
addEventListener('offline', () => chat.link.networkChanged());
addEventListener('pagehide', () => chat.presence.left());
document.addEventListener('visibilitychange', () => {
  const isVisible = document.visibilityState === 'visible';
  chat.presence.shown(isVisible);
  if (isVisible) chat.link.reconnect();
});

await start();

async function start(): Promise<void> {
  const code = takeCode(location, history);
  await claimClientName(memory);
  if (code === undefined) return chat.link.start();
  const outcome = await exchangeCode(code);
  // With what the tab had before, or with nothing where nothing is needed, it may do without.
  if ('failure' in outcome) return chat.link.start(texts.signIn.code[outcome.failure]);
  memory.token = outcome.token;
  chat.link.start();
}
