// Runs the built gateway with the module in the file of its first argument, and with the bundled packages.
import './bundled-packages.mjs';

const { runGateway } = await import('openclaw-gateway-nest');
await runGateway({}, { modules: Object.values(await import(process.argv[2])) });
