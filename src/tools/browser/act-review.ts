import type { Locator } from 'playwright-core';
import type { MediaRecord } from '../../core/store/index.js';
import type { CallReview } from '../../core/tools/tool.js';
import { SECRET_FIELDS } from './page/page-probe.js';
import { describeSecret, type PageNode } from './page/page-tree.js';
import { renderName } from './page/render-tree.js';

/** Longest name of an element that a person is shown, in characters. */
const MAX_NAME_LENGTH = 200;

/** Keys, with or without others that are held, and the roles of elements that hold a value. */
const ENTER = /(^|\+)(Enter|NumpadEnter)$/i;
const SPACE = /(^|\+)(Space| )$/i;
const ONE_CHARACTER = /^.$/su;
const FIELDS = /box|slider|spinbutton|radio|option|switch/;

/** An act as its review sees it. */
export interface ReviewedAct {
  readonly action: string;
  readonly value?: string | undefined;
  readonly dialogs?: 'accept' | 'dismiss' | undefined;
}

/** Facts about the element of an act, and about its form if it has one. */
export interface ActFacts {
  readonly isSecret: boolean;
  /** The text of the button or the link that the element is or belongs to; of the form's own button for a field. */
  readonly label: string;
  readonly form?: {
    /** True if a click on the element sends it. */
    readonly isSubmitter: boolean;
    readonly method: string;
    /** The address that it goes to. */
    readonly action: string;
    readonly hasCard: boolean;
  };
}

/** The circumstances of an act, on which its review depends too. */
export interface ActCircumstances {
  /** The address of the page. */
  readonly url: string;
  /** The file that it gives to the page. */
  readonly file?: Pick<MediaRecord, 'mediaId' | 'mimeType' | 'sizeBytes'> | undefined;
  /** True if submits that send data or look like a purchase need an approval. */
  readonly asksForSubmits: boolean;
}

/** The part of the DOM that {@link readActFacts} uses. */
interface DomElement {
  readonly localName: string;
  readonly textContent: string;
  readonly baseURI: string;
  readonly form?: DomElement | null;
  closest(selector: string): DomElement | null;
  matches(selector: string): boolean;
  getAttribute(name: string): string | null;
  querySelector(selector: string): DomElement | null;
}

/**
 * Words on buttons and links that cost money or cannot be taken back. A word more costs a question, a word less costs money.
 */
const PURCHASE = new RegExp(
  [
    String.raw`\b(buy|pay|purchase|check ?out|subscribe|donate|bid|transfer|top up|book now|reserve|withdraw)\b`,
    String.raw`\b(place|submit|confirm|complete|send)\b.{0,20}\b(order|payment|booking|reservation|money)\b`,
    String.raw`^\W*(order|book|upgrade)( now)?\W*$`,
    String.raw`\b(kaufen|bezahlen|zahlen|zahlungspflichtig|bestellen|buchen|überweisen|spenden|abonnieren)\b`,
    String.raw`\b(acheter|payer|commander|réserver|comprar|pagar|reservar|acquista|paga|ordina|prenota)\b`,
    String.raw`\b(kopen|betalen|koop|betala|köp|kup|zapłać|kupuję|купить|оплатить|заказать)`,
    '购买|支付|付款|下单|購入|注文|支払|구매|결제|주문',
  ].join('|'),
  'iu',
);

/** Reads the facts of an element. The page could lie: they protect from mistakes of the agent, not from the page. */
export function readActFacts(element: Locator, timeoutMs: number): Promise<ActFacts> {
  return element.evaluate(readFactsInPage, SECRET_FIELDS, { timeout: timeoutMs });
}

/** Runs in the page, where it has nothing but its parameters. */
function readFactsInPage(node: unknown, secretFields: string): ActFacts {
  const SUBMITTER = 'button:not([type="button" i], [type="reset" i]), input[type="submit" i], input[type="image" i]';
  const element = node as DomElement;
  const control = element.closest('button, input, a, [role="button"], [role="link"]') ?? element;
  const form = control.form ?? element.form ?? element.closest('form');
  const isSubmitter = control.matches(SUBMITTER);
  const button = isSubmitter
    ? control
    : form && !control.matches('button, a')
      ? form.querySelector(SUBMITTER)
      : control;
  const of = (name: string) =>
    (isSubmitter ? control.getAttribute(`form${name}`) : null) ?? form?.getAttribute(name) ?? '';
  const label = button
    ? (button.getAttribute('aria-label') ?? button.getAttribute('value') ?? button.textContent).trim().slice(0, 500)
    : '';
  const isSecret = element.matches(secretFields);
  if (!form) return { isSecret, label };
  let action = element.baseURI;
  try {
    action = new URL(of('action'), element.baseURI).href;
  } catch {
    // It goes nowhere.
  }
  const hasCard = form.querySelector('[autocomplete*="cc-" i]') !== null;
  return { isSecret, label, form: { isSubmitter, method: of('method').toLowerCase(), action, hasCard } };
}

/**
 * Returns whether a person must approve an act, with what it does.
 * @param node the element as the agent has seen it
 */
export function judgeAct(
  act: ReviewedAct,
  node: PageNode,
  facts: ActFacts,
  { url, file, asksForSubmits }: ActCircumstances,
): CallReview {
  const isSecret = facts.isSecret && isEntering(act);
  const reasons = [
    ...(isSecret ? ['enters a secret'] : []),
    ...(file ? [`gives it the file ${file.mediaId} (${file.mimeType}, ${file.sizeBytes} bytes)`] : []),
    ...(asksForSubmits && act.dialogs === 'accept' ? ['accepts dialogs'] : []),
    ...(asksForSubmits ? describeSubmit(act, node, facts) : []),
  ];
  const why = reasons.length === 0 ? '' : `: ${reasons.join(', ')}`;
  return {
    needsApproval: reasons.length > 0,
    shown: `${act.action} ${cutName(node)} on ${placeOf(url)}${why}`,
    ...(isSecret && { shownParameters: withoutValue(act) }),
  };
}

/**
 * Returns the review of an act whose element cannot be looked at. A field that it enters something into may hold a secret, so
 * people do not see the value. Without the element the act itself fails, and says why.
 */
export function judgeUnseen(act: ReviewedAct): CallReview {
  return { needsApproval: false, ...(isEntering(act) && { shownParameters: withoutValue(act) }) };
}

function withoutValue(act: ReviewedAct): ReviewedAct {
  return { ...act, value: describeSecret(act.value ?? '') };
}

/** Returns what an act sets off beyond the page; nothing for one that only looks or enters. */
function describeSubmit({ action, value = '' }: ReviewedAct, node: PageNode, facts: ActFacts): readonly string[] {
  const entersIt = action === 'press' && ENTER.test(value);
  if (action !== 'click' && !entersIt && !(action === 'press' && SPACE.test(value))) return [];
  const sent = facts.form?.isSubmitter || entersIt ? facts.form : undefined;
  const isPurchase =
    (sent !== undefined || !FIELDS.test(node.role)) &&
    [node.name, node.text, facts.label].some((name) => PURCHASE.test(name));
  return [...(sent ? describeForm(sent) : []), ...(isPurchase ? ['looks like a purchase'] : [])];
}

function describeForm({ method, action, hasCard }: NonNullable<ActFacts['form']>): readonly string[] {
  return [
    ...(method === 'post' ? [`sends a form to ${placeOf(action)}`] : []),
    ...(hasCard ? ['sends a form with a card'] : []),
  ];
}

function isEntering({ action, value = '' }: ReviewedAct): boolean {
  return action === 'fill' || (action === 'press' && ONE_CHARACTER.test(value));
}

/** Returns role and name of an element, cut and well-formed: people and stores get it as it is. */
export function cutName(node: PageNode): string {
  return renderName(node).slice(0, MAX_NAME_LENGTH).toWellFormed();
}

/** Returns an address without what may hold a secret. */
export function placeOf(url: string): string {
  const parsed = URL.parse(url);
  return JSON.stringify(
    parsed ? parsed.origin + parsed.pathname.slice(0, MAX_NAME_LENGTH) : 'a page without an address',
  );
}
