// Runs the driver of the made-up platform in a process of its own, with the bundled packages.
import '../support/bundled-packages.mjs';

const { runDriver } = await import('openclaw-gateway-nest/driver');
const driver = await runDriver({ modules: Object.values(await import('./channel.module.mjs')) });
process.once('SIGTERM', () => void driver.stop().then(() => process.exit(0)));
