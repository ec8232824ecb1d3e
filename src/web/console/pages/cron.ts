import { html, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import '../act.js';
import { pathOf } from '../api.js';
import { formatCount } from '../format.js';
import type { ConsolePage } from '../page.js';
import './cron-job.js';
import './cron-new.js';
import { renderJobState, type Job } from './job.js';
import { ListPage, type ListDescription } from './list-page.js';
import { renderText, renderTime } from './parts.js';
import { tenantColumn } from './tenant-column.js';
import { renderToggle } from './toggle.js';

/** The jobs that run by themselves, with their next times. */
@customElement('console-cron')
export class ConsoleCron extends ListPage<Job> {
  protected override describe(): ListDescription<Job> {
    return {
      title: 'Cron',
      load: (query, signal) => this.app.api.get('/cron/jobs', query, signal),
      keyOf: ({ job_id }) => job_id,
      linkOf: ({ job_id }) => this.app.router.link({ page: 'cron', ids: [job_id] }),
      columns: [
        { head: 'Job', width: 'minmax(8rem, 1fr)', phone: 'main', cell: ({ name }) => renderText(name) },
        ...tenantColumn(this.app),
        {
          head: 'When',
          width: 'minmax(12rem, 2fr)',
          phone: 'second',
          cell: ({ words, schedule }) => html`<span title=${`${words}, ${schedule.timezone}`}>${words}</span>`,
        },
        { head: 'State', width: '7rem', phone: 'side', cell: renderJobState },
        {
          head: 'Next',
          width: '7rem',
          phone: 'end',
          cell: ({ enabled, next }) => renderTime(enabled ? next[0] : undefined),
        },
        { head: 'Last due', width: '7rem', cell: ({ last_due }) => renderTime(last_due) },
        { head: 'Failures', width: '5rem', isNumber: true, cell: ({ failures }) => formatCount(failures) },
        { head: 'On', width: '4rem', cell: (job) => this.renderSwitch(job) },
      ],
      empty: {
        sentence: 'No job was made.',
        command: 'openclaw cron add --name news --cron "0 8 * * 1-5" --message "What is new?" --isolated',
      },
      live: { kinds: ['cron'], take: () => this.list?.requestUpdate() },
    };
  }

  override read(): void {
    super.read();
    this.querySelector<ConsolePage>('console-cron-job')?.read();
  }

  protected override render(): TemplateResult {
    const [id] = this.place.ids;
    if (id === undefined) return super.render();
    return html`<console-cron-job .app=${this.app} .jobId=${id} .place=${this.place}></console-cron-job>`;
  }

  protected override renderTools(): TemplateResult {
    return html`<console-cron-new .app=${this.app}></console-cron-new>`;
  }

  private renderSwitch({ job_id: id, name, enabled }: Job): TemplateResult {
    const change = async (isOn: boolean) => {
      const job = await this.app.api.patch<Job>(pathOf('cron', 'jobs', id), { enabled: isOn });
      this.list?.model.change(id, () => job);
    };
    return renderToggle(this.app, {
      label: `${name} runs`,
      isOn: enabled,
      change,
      done: (isOn) => `${name} is ${isOn ? 'on' : 'off'}.`,
    });
  }
}
