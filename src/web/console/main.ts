import './styles/console.css';
import '../design/copy-button.js';
import '../design/menu.js';
import './act.js';
import './list.js';
import './time.js';
import { ConsoleApp } from './app.js';
import { Router } from './router.js';
import { ConsoleSession } from './session.js';
import { findMe, redeemLink } from './sign-in.js';

// The files of the page are two segments below the gateway, wherever a proxy serves it. (In one expression, the build would take
// it for the address of a file.)
const { url } = import.meta;
const root = new URL('../../', url);
const session = new ConsoleSession(() => sessionStorage);
const router = new Router(`${root.pathname}console`, window);
const app = new ConsoleApp();
Object.assign(app, { root: root.href, session, router });
document.body.append(app);

addEventListener('popstate', () => router.read());
addEventListener('click', (event) => router.follow(event));
addEventListener('online', () => app.networkChanged());
document.addEventListener('visibilitychange', () => app.shown(document.visibilityState === 'visible'));

// Rejects in a browser that cannot show the page, whose note then stays.
await app.updateComplete;
document.getElementById('not-running')?.remove();
const failure = await redeemLink(root.href, session);
const me = await findMe(root.href, session.token);
// A person may be signed in at the chat without being an operator: that is not an error here.
app.begin(failure ?? me, session.isOfChat);
