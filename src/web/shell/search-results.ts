import { html, nothing, type TemplateResult } from 'lit';
import type { Chat } from '../model/chat.js';
import type { Conversations } from '../model/conversations.js';
import { gatewayClock } from '../model/gateway-clock.js';
import { HistorySearch, MAX_HITS, type Hit } from '../model/history-search.js';
import { writePlace } from '../model/place.js';
import { texts } from '../texts.js';
import { formatDay } from '../times.js';

/** Begins to search all messages. `changed` is called after each page. */
export function startSearch(words: string, { conversations, link }: Chat, changed: () => void): HistorySearch {
  const search = new HistorySearch(words, conversations.listed, changed);
  if (link.client) void search.run(link.client);
  return search;
}

/** Renders the messages that were found, and how far the search is. */
export function renderHits(search: HistorySearch, conversations: Conversations): TemplateResult {
  const now = gatewayClock.now();
  return html`<h2 class="group">${texts.search.messages}</h2>
    <p class="faint progress" role="status">
      ${describe(search)}${
        search.isRunning
          ? html`<button type="button" class="quiet" @click=${() => search.stop()}>${texts.search.stop}</button>`
          : nothing
      }
    </p>
    <ul>
      ${search.hits.map(
        (hit) =>
          html`<li>
            <a class="entry hit" href=${addressOf(hit, conversations)}>
              <span class="faint" dir="auto"
                >${hit.conversation.title ?? texts.conversations.untitled} · ${formatDay(hit.sentAt, now)}</span
              >
              <span class="snippet" dir="auto"
                >${hit.snippet.slice(0, hit.from)}<mark>${hit.snippet.slice(hit.from, hit.to)}</mark>${hit.snippet.slice(hit.to)}</span
              >
            </a>
          </li>`,
      )}
    </ul>`;
}

function addressOf({ conversation, messageRef }: Hit, conversations: Conversations): string {
  const name = conversations.nameOf(conversation);
  return writePlace({ ...(name !== undefined && { conversation: name }), message: messageRef });
}

/** Describes the result. Only a complete search can report that there is nothing. */
function describe({ isRunning, hasFailed, hits, searched, conversations }: HistorySearch): string {
  const { search } = texts;
  if (isRunning) return search.running(searched, conversations.length);
  if (hasFailed) return search.failed;
  if (hits.length >= MAX_HITS) return search.full(MAX_HITS);
  if (searched < conversations.length) return search.stopped(searched, conversations.length);
  return hits.length === 0 ? search.none : search.done(hits.length);
}
