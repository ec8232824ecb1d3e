import DOMPurify, { type Config } from 'dompurify';
import { INLINE_PICTURE } from './inline-picture.js';

const TAGS =
  'a b blockquote br code del em h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s small span strong sub sup table tbody td th thead tr u ul';
const ATTRIBUTES = 'align alt class href src start title';

const CONFIG: Config & { RETURN_DOM_FRAGMENT: true } = {
  ALLOWED_TAGS: TAGS.split(' '),
  ALLOWED_ATTR: ATTRIBUTES.split(' '),
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?:\/\/|mailto:|tel:)/i,
  // Attributes that are not listed here are checked against the expression as if they were URLs.
  ADD_URI_SAFE_ATTR: ['align', 'start'],
  RETURN_DOM_FRAGMENT: true,
};

/** The classes that the page styles: a code block's language, a task, a formula, and the highlighter's. */
const KNOWN_CLASS = /^(?:language-[\w#+.-]+|task|math|hljs-[\w-]+(?: [\w-]+_?)*)$/;

/** The URL of a picture stored by this gateway. */
const OWN_MEDIA = /^\/media\/[\w-]+$/i;

/** Blocks of text, each with its own direction. */
const TEXT_BLOCKS = 'p, h1, h2, h3, h4, h5, h6, td, th';

/** Blocks whose markers, bar or order stand on the side where the text in them begins. */
const SIDED_BLOCKS = 'ul, ol, blockquote, table';

/** The scripts that are written from right to left, at the first letter of a text. */
const RIGHT_TO_LEFT =
  /^\P{L}*[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

const purify = DOMPurify(window);
purify.addHook('uponSanitizeAttribute', (_element, attribute) => {
  if (attribute.attrName === 'class') attribute.keepAttr = KNOWN_CLASS.test(attribute.attrValue);
  // Pictures from other servers would be loaded.
  if (attribute.attrName === 'src')
    attribute.keepAttr = INLINE_PICTURE.test(attribute.attrValue) || OWN_MEDIA.test(attribute.attrValue);
});

/**
 * Converts untrusted HTML to nodes that run no script and load nothing from other servers. It is the page's only
 * conversion from text to nodes.
 */
export function sanitise(html: string): DocumentFragment {
  const fragment = purify.sanitize(html, CONFIG);
  for (const link of fragment.querySelectorAll('a')) {
    link.target = '_blank';
    link.rel = 'noopener noreferrer nofollow';
  }
  for (const block of fragment.querySelectorAll<HTMLElement>(TEXT_BLOCKS)) block.dir = 'auto';
  // `auto` would not look into parts that have a direction themselves.
  for (const block of fragment.querySelectorAll<HTMLElement>(SIDED_BLOCKS)) {
    block.dir = RIGHT_TO_LEFT.test(block.textContent) ? 'rtl' : 'ltr';
  }
  return fragment;
}
