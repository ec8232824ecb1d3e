import { html, LitElement, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { ConsoleContext } from '../context.js';
import { consoleTexts } from '../texts.js';
import { LOG_LEVELS, SUBSYSTEMS } from './api-names.js';
import type { Config } from './config-draft.js';
import { Loaded } from './loaded.js';

/** The levels at which the subsystems log. A choice changes that of one subsystem, and can be undone for some seconds. */
@customElement('console-log-levels')
export class ConsoleLogLevels extends LitElement {
  @property({ attribute: false }) app!: ConsoleContext;
  private readonly config = new Loaded<Config>(this, (signal) => this.app.api.get('/config', {}, signal));

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    return html`<details class="levels" @toggle=${this.open}>
      <summary>Levels</summary>
      ${this.config.render((config) => this.renderLevels(config))}
    </details>`;
  }

  private renderLevels({ settings }: Config): TemplateResult {
    const isAllowed = this.app.me.may('admin:write');
    const levelOf = (name: string) => settings.find(({ key }) => key === `log.${name}`)?.value;
    return html`<div class="level-fields">
      ${SUBSYSTEMS.map((name) => {
        const level = levelOf(name);
        return html`<label>
          <span>${name}</span>
          <select
            class="field"
            title=${isAllowed ? name : consoleTexts.act.needs('admin:write')}
            ?disabled=${!isAllowed}
            @change=${({ target }: Event) => this.choose(name, level, (target as HTMLSelectElement).value)}
          >
            <option value="" ?selected=${typeof level !== 'string'}>as all: ${levelOf('level')}</option>
            ${LOG_LEVELS.map((each) => html`<option ?selected=${each === level}>${each}</option>`)}
          </select>
        </label>`;
      })}
    </div>`;
  }

  private readonly open = ({ target }: Event): void => {
    if ((target as HTMLDetailsElement).open) void this.config.read();
  };

  private async choose(name: string, before: unknown, choice: string): Promise<void> {
    const set = async (level: unknown) => {
      await this.app.api.patch('/logs/levels', { levels: { [name]: level } });
      await this.config.read();
    };
    const level = choice === '' ? null : choice;
    const isDone = await this.app.act.run(() => set(level));
    if (isDone) this.app.act.offerUndo(`${name} logs ${level ?? 'as all others do'}.`, () => set(before ?? null));
  }
}
