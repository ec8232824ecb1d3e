import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { icons } from '../../design/icons.js';
import '../act.js';
import { pathOf } from '../api.js';
import { formatDuration } from '../format.js';
import { ConsolePage } from '../page.js';
import { renderChip, renderState } from '../state-chip.js';
import { FormValues } from './form-values.js';
import { findItem, Loaded } from './loaded.js';
import { renderDiff, renderFacts, renderJson, renderPanel, renderText, renderTime } from './parts.js';

/** A command of a device. */
interface NodeCommand {
  readonly name: string;
  /** The device's own words. */
  readonly description: string;
  readonly dangerous: boolean;
  readonly idempotent: boolean;
  readonly parameters: object;
  readonly permissions: readonly string[];
  readonly timeout_ms: number;
  readonly offered: boolean;
  /** The description that the device gives now, which an operator has not allowed. */
  readonly waiting?: object;
  readonly waiting_sha256?: string;
}

export interface NodeDevice {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly state: string;
  readonly since?: number;
  readonly last_seen_at?: number;
  readonly created_at: number;
  readonly paired: boolean;
  readonly platform?: string;
  readonly version?: string;
  readonly allow?: readonly string[];
  readonly commands: readonly NodeCommand[];
  readonly jobs: readonly { readonly job_id: string; readonly name: string }[];
  readonly warning?: string;
}

/** One device: what it may do. */
@customElement('console-node')
export class ConsoleNode extends ConsolePage {
  @property() nodeId = '';
  @state() private isRenaming = false;
  private readonly node = new Loaded<NodeDevice>(
    this,
    (signal) =>
      findItem(
        (cursor) => this.app.api.page<NodeDevice>('/nodes', { limit: 200 }, cursor, signal),
        ({ id }) => id === this.nodeId,
      ),
    ({ name }) => this.entitle(name),
  );

  private get path(): string {
    return pathOf('nodes', this.nodeId);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('nodeId')) void this.node.read();
  }

  protected override firstUpdated(): void {
    this.entitle(this.nodeId);
    this.follow(
      ['node'],
      ({ row }) => {
        if (row['node_id'] === this.nodeId) this.node.readSoon();
      },
      () => this.node.readSoon(),
    );
  }

  override read(): void {
    void this.node.read();
  }

  protected override render(): TemplateResult {
    return this.node.render(
      (node) =>
        html`<div class="thing">
          <div class="thing-head">
            ${renderState(node.state)}
            <span class="spring"></span>
            ${this.renderActions(node)}
          </div>
          ${node.warning === undefined ? nothing : html`<p class="trouble">${node.warning}</p>`}
          ${renderPanel('Facts', this.renderFactsOf(node))} ${renderPanel('What it may offer', this.renderAllow(node))}
          ${renderPanel('Commands', this.renderCommands(node))}
        </div>`,
    );
  }

  private renderActions({ name, commands, jobs }: NodeDevice): TemplateResult {
    return html`<console-action
        .app=${this.app}
        label="Rename"
        .run=${async () => (this.isRenaming = !this.isRenaming)}
      ></console-action>
      <console-action
        .app=${this.app}
        label="Revoke…"
        .run=${() => this.revoke(name, commands.length, jobs.length)}
      ></console-action>
      ${this.isRenaming ? this.renderNameForm(name) : nothing}`;
  }

  private renderNameForm(name: string): TemplateResult {
    return html`<form class="inline-form" @submit=${(event: SubmitEvent) => this.rename(event, name)}>
      <label>
        <span>Name</span>
        <input class="field" name="name" maxlength="100" required .value=${name} />
      </label>
      <button class="main">Save</button>
    </form>`;
  }

  private async rename(event: SubmitEvent, before: string): Promise<void> {
    const name = new FormValues(event).text('name');
    const isDone = await this.app.act.run(() => this.change({ name }));
    if (!isDone) return;
    this.isRenaming = false;
    this.app.act.offerUndo(`It is called ${name} now.`, () => this.change({ name: before }));
  }

  private async change(change: object): Promise<void> {
    this.node.take(await this.app.api.patch<NodeDevice>(this.path, change));
  }

  private async revoke(name: string, commands: number, jobs: number): Promise<void> {
    const isAgreed = await this.app.act.ask({
      heading: `Revoke ${name}?`,
      effect: `Its connection and its key end, and ${count(commands, 'command')} with them. ${count(jobs, 'job')} of cron that its events start get no events any more. It has to be paired again.`,
      verb: 'Revoke',
    });
    if (!isAgreed) return;
    await this.app.api.delete(this.path);
    this.app.router.go(this.app.router.link({ page: 'nodes' }));
  }

  private renderFactsOf(node: NodeDevice): TemplateResult {
    const { router } = this.app;
    return renderFacts([
      ['ID', html`<code>${node.id}</code>`],
      ['Connected', node.since === undefined ? nothing : renderTime(node.since)],
      ['Last seen', renderTime(node.last_seen_at)],
      ['Paired', renderTime(node.created_at)],
      ['Comes in with', node.paired ? 'its key' : 'a token'],
      ['Platform', renderText(node.platform)],
      ['Version', renderText(node.version)],
      [
        'Jobs that it starts',
        node.jobs.length === 0
          ? nothing
          : node.jobs.map(
              ({ job_id, name }, i) =>
                html`${i === 0 ? '' : ', '}<a href=${router.link({ page: 'cron', ids: [job_id] })}
                    >${renderText(name)}</a
                  >`,
            ),
      ],
    ]);
  }

  private renderAllow({ allow }: NodeDevice): TemplateResult {
    const isAllowed = this.app.me.may('admin:write');
    return html`<form class="inline-form" @submit=${(event: SubmitEvent) => this.saveAllow(event, allow)}>
      <label>
        <span>Patterns of commands, one in a line; empty: all that are not dangerous</span>
        <textarea
          class="field"
          name="allow"
          rows="3"
          spellcheck="false"
          ?disabled=${!isAllowed}
          .value=${(allow ?? []).join('\n')}
        ></textarea>
      </label>
      <button class="plain" ?disabled=${!isAllowed}>Save patterns</button>
    </form>`;
  }

  private async saveAllow(event: SubmitEvent, before: NodeDevice['allow']): Promise<void> {
    const patterns = new FormValues(event).words('allow');
    const isDone = await this.app.act.run(() => this.change({ allow: patterns.length === 0 ? null : patterns }));
    if (isDone) this.app.act.offerUndo('What it may offer was changed.', () => this.change({ allow: before ?? null }));
  }

  private renderCommands({ commands }: NodeDevice): TemplateResult {
    if (commands.length === 0) return html`<p class="faint">It offers no command.</p>`;
    return html`<ul class="commands">
      ${commands.map((command) => this.renderCommand(command))}
    </ul>`;
  }

  private renderCommand(command: NodeCommand): TemplateResult {
    const { name, description, dangerous, offered, waiting, timeout_ms: timeout, permissions, parameters } = command;
    return html`<li>
      <div class="thing-head">
        <h3><code>${renderText(name)}</code></h3>
        ${
          waiting
            ? renderChip(icons.asks, 'held', 'changed: needs you')
            : offered
              ? renderChip(icons.done, 'good', 'allowed')
              : renderChip(icons.stopped, 'faint', 'not offered')
        }
        ${dangerous ? renderChip(icons.warning, 'warn', 'dangerous') : nothing}
      </div>
      <p>${renderText(description)}</p>
      <p class="faint">
        Ends after ${formatDuration(timeout)}${permissions.length === 0 ? '' : ` · needs ${permissions.join(', ')}`}
      </p>
      <details>
        <summary>Parameters</summary>
        ${renderJson(parameters)}
      </details>
      ${waiting ? this.renderWaiting(command, waiting) : nothing}
    </li>`;
  }

  /** Renders what the device has changed of a command, against what was allowed. */
  private renderWaiting(command: NodeCommand, waiting: object): TemplateResult {
    const { name, waiting_sha256: sha256 } = command;
    const allowed = Object.fromEntries(Object.keys(waiting).map((key) => [key, command[key as keyof NodeCommand]]));
    return html`${renderDiff(allowed, waiting)}
      <console-action
        .app=${this.app}
        look="main"
        label="Allow this"
        done="The command was allowed."
        .run=${async () =>
          this.node.take(await this.app.api.post<NodeDevice>(`${this.path}/commands${pathOf(name)}/allow`, { sha256 }))}
      ></console-action>`;
  }
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
