import './node.css';
import { NodePage } from './page.js';

/** The fragment of a link that `openclaw nodes pair` prints. */
const PAIRING = /^#pair=([A-Za-z0-9-]{1,32})$/;

const page = new NodePage();
page.code = PAIRING.exec(location.hash)?.[1] ?? '';
// The folder of the page's address: a proxy may serve the gateway below a path.
page.url = new URL('.', location.href).href;
// Neither the history nor a bookmark keeps the code.
if (location.hash !== '') history.replaceState(null, '', location.pathname);
document.body.append(page);
