import { html, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { download } from '../../design/download.js';
import '../act.js';
import { pathOf, type Query } from '../api.js';
import { formatCount } from '../format.js';
import { ListPage, type ListDescription } from './list-page.js';
import { renderSessionLink, renderText, renderTime } from './parts.js';
import { tenantColumn } from './tenant-column.js';

/** A sender of messages on a channel. */
interface Person {
  readonly tenant: string;
  readonly channel: string;
  readonly sender: string;
  /** As its newest message has it. */
  readonly name?: string;
  /** The conversation in which it was met first. */
  readonly session_id: string;
  readonly last_active: number;
}

/** The numbers of what an erasure removed. */
type Erased = Readonly<Record<'messages' | 'replies' | 'media' | 'memories', number>>;

/** Who writes, and what have they left? Exports and erases it. */
@customElement('console-people')
export class ConsolePeople extends ListPage<Person> {
  protected override describe(): ListDescription<Person> {
    const { api, router } = this.app;
    return {
      title: 'People',
      load: (query, signal) => api.get('/people', query, signal),
      keyOf,
      linkOf: ({ sender, channel }) => router.link({ page: 'sessions', filters: { participant: sender, channel } }),
      filters: [
        { name: 'q', label: 'Search by id', type: 'search' },
        { name: 'channel', label: 'Channel' },
      ],
      columns: [
        {
          head: 'Person',
          width: 'minmax(8rem, 2fr)',
          phone: 'main',
          cell: ({ name, sender }) => renderText(name ?? sender),
        },
        ...tenantColumn(this.app),
        { head: 'Id', width: 'minmax(8rem, 1fr)', cell: ({ sender }) => renderText(sender) },
        { head: 'Channel', width: 'minmax(6rem, 1fr)', phone: 'second', cell: ({ channel }) => renderText(channel) },
        {
          head: 'First met in',
          width: 'minmax(8rem, 1fr)',
          cell: ({ session_id }) => renderSessionLink(this.app, session_id),
        },
        { head: 'Last active', width: '7rem', phone: 'side', cell: ({ last_active }) => renderTime(last_active) },
        { head: 'Actions', width: '11rem', phone: 'end', cell: (person) => this.renderActions(person) },
      ],
      empty: { sentence: 'No messages yet.' },
    };
  }

  private renderActions(person: Person): TemplateResult {
    return html`<div class="row-actions">
      <console-action
        .app=${this.app}
        look="quiet"
        scope="admin:read"
        label="Export"
        .run=${() => this.export(person)}
      ></console-action>
      <console-action .app=${this.app} look="quiet" label="Erase…" .run=${() => this.erase(person)}></console-action>
    </div>`;
  }

  private async export(person: Person): Promise<void> {
    const { channel, sender } = person;
    const response = await this.app.api.open(`${pathOfPerson(person)}/export`, this.tenantOf(person));
    download(`${channel}-${sender}.jsonl`, await response.blob());
  }

  private async erase(person: Person): Promise<void> {
    const { channel, sender } = person;
    const isAgreed = await this.app.act.ask({
      heading: `Erase what ${sender} has left on ${channel}?`,
      effect: `All texts that 1 person has written, the answers to them, files and memories are erased for good. What waits and runs for ${sender} is cancelled. Export it first if it may be needed.`,
      verb: 'Erase',
      typed: sender,
    });
    if (!isAgreed) return;
    const erased = await this.app.api.delete<Erased>(pathOfPerson(person), this.tenantOf(person));
    this.app.act.say(`Erased: ${describeErased(erased)}.`);
    this.read();
  }

  /** An operator of all tenants acts in that of the person. */
  private tenantOf({ tenant }: Person): Query {
    return this.app.me.isOfAllTenants ? { tenant } : {};
  }
}

function describeErased({ messages, replies, media, memories }: Erased): string {
  const count = (number: number, one: string, many = `${one}s`) =>
    `${formatCount(number)} ${number === 1 ? one : many}`;
  return [
    count(messages, 'message'),
    count(replies, 'answer'),
    count(media, 'file'),
    count(memories, 'memory', 'memories'),
  ].join(', ');
}

function keyOf({ tenant, channel, sender }: Person): string {
  return JSON.stringify([tenant, channel, sender]);
}

function pathOfPerson({ channel, sender }: Person): string {
  return pathOf('people', channel, sender);
}
