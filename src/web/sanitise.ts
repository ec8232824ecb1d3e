import DOMPurify, { type Config } from 'dompurify';

const TAGS =
  'a b blockquote br code del em h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s small span strong sub sup table tbody td th thead tr u ul';
const ATTRIBUTES = 'align alt class href src start title';

const CONFIG: Config & { RETURN_DOM_FRAGMENT: true } = {
  ALLOWED_TAGS: TAGS.split(' '),
  ALLOWED_ATTR: ATTRIBUTES.split(' '),
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?:\/\/|mailto:|tel:)/i,
  // The others are held against the expression too.
  ADD_URI_SAFE_ATTR: ['align', 'start'],
  RETURN_DOM_FRAGMENT: true,
};

/** The two kinds of class that mean something here: a code's language, and what the highlighter writes. */
const KNOWN_CLASS = /^(?:language-[\w#+.-]+|hljs-[\w-]+(?: [\w-]+_?)*)$/;

/** Pictures that load nothing: they are in the text, or are media of this gateway. */
const OWN_PICTURE = /^(?:data:image\/(?:png|jpeg|gif|webp|avif|svg\+xml);base64,|\/media\/[\w-]+$)/i;

/** Blocks of text, each with a direction of its own. */
const TEXT_BLOCKS = 'p, li, h1, h2, h3, h4, h5, h6, blockquote, td, th';

const purify = DOMPurify(window);
purify.addHook('uponSanitizeAttribute', (_element, attribute) => {
  if (attribute.attrName === 'class') attribute.keepAttr = KNOWN_CLASS.test(attribute.attrValue);
  if (attribute.attrName === 'src') attribute.keepAttr = OWN_PICTURE.test(attribute.attrValue);
});

/**
 * Makes HTML from outside into nodes that run nothing, load nothing and look like part of a text. The only way from text
 * to nodes in this page.
 */
export function sanitise(html: string): DocumentFragment {
  const fragment = purify.sanitize(html, CONFIG);
  for (const link of fragment.querySelectorAll('a')) {
    link.target = '_blank';
    link.rel = 'noopener noreferrer nofollow';
  }
  for (const block of fragment.querySelectorAll<HTMLElement>(TEXT_BLOCKS)) block.dir = 'auto';
  for (const table of fragment.querySelectorAll('table')) wrapTable(table);
  return fragment;
}

/** A wide table scrolls in its own box, also by keyboard. */
function wrapTable(table: HTMLTableElement): void {
  const box = document.createElement('div');
  box.className = 'table-box';
  box.tabIndex = 0;
  table.replaceWith(box);
  box.append(table);
}
