import type { CronStore } from '../../../core/store/index.js';
import { read, write, type Rows } from './row.js';

export const CRON_ROWS: Rows<CronStore> = {
  addCronJob: write(({ cron, now }, ...all) => cron.add(now, ...all)),
  changeCronJob: write(({ cron, now }, ...all) => cron.change(now, ...all)),
  removeCronJob: write(({ cron, now }, ...all) => cron.remove(now, ...all)),
  stopCronJob: write(({ cron }, ...all) => cron.stop(...all)),
  findCronJob: read(({ cron }, jobId) => cron.find(jobId)),
  listCronJobs: read(({ cron }, query) => cron.list(query)),
  listDueCronJobs: read(({ cron }, ...all) => cron.listDue(...all)),
  listCronJobsAhead: read(({ cron }, ...all) => cron.listAhead(...all)),
  listCronJobsOn: read(({ cron }, ...all) => cron.listOnEvent(...all)),
  readCronAgenda: read(({ cron }) => cron.readAgenda()),
  openCronRuns: write(({ cron, now }, ...all) => cron.open(now, ...all), { after: 'cron.after_row' }),
  listOpenCronRuns: read(({ cron }, ...all) => cron.listOpen(...all)),
  noteCronRunAccepted: write(({ cron }, ...all) => cron.accept(...all)),
  moveCronJob: write(({ cron }, move) => cron.move(move)),
  listEndedCronRuns: read(({ cron, now }, ...all) => cron.listEnded(now, ...all)),
  retryCronRun: write(({ cron }, ...all) => cron.retry(...all)),
  endCronRun: write(({ cron }, ...all) => cron.end(...all)),
  noteCronRunReason: write(({ cron }, ...all) => cron.noteReason(...all)),
  listCronRuns: read(({ cron }, ...all) => cron.listRuns(...all)),
};
