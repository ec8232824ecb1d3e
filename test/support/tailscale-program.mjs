/**
 * A stand-in for the program `tailscale`: it keeps its state in a file and records its arguments. How it behaves is in the state.
 * It knows the commands that the gateway uses and no more. It was written from what `tailscale` 1.103 is documented to do.
 */
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @param {string} folder the folder of the state */
export async function runTailscale(folder, args) {
  const path = join(folder, 'state.json');
  const read = () => JSON.parse(readFileSync(path, 'utf8'));
  const write = (state) => {
    const unfinished = `${path}.${process.pid}`;
    writeFileSync(unfinished, JSON.stringify(state));
    renameSync(unfinished, path);
  };
  appendFileSync(join(folder, 'calls.jsonl'), `${JSON.stringify(args)}\n`);
  const given = args.filter((arg) => !arg.startsWith('--socket='));
  const fail = (message, code = 1) => {
    process.stderr.write(`${message}\n`);
    process.exit(code);
  };
  const { slowMs } = read();
  if (slowMs) await new Promise((resolve) => setTimeout(resolve, slowMs));
  const state = read();
  if (state.daemon === 'away') fail('failed to connect to local tailscaled; it does not appear to be running');

  const [command, ...rest] = given;
  if (command === 'status') return print(state.status);
  if (command === 'whois') {
    const found = state.whois?.[rest.at(-1)];
    return found === undefined ? fail('peer not found') : print(found);
  }
  if (command !== 'serve' && command !== 'funnel') fail(`unknown command ${command}`);
  if (rest[0] === 'status') {
    // tailscaled forgets what a program held when that program has gone.
    for (const pid of Object.keys(state.serve?.Foreground ?? {})) if (!isAlive(pid)) delete state.serve.Foreground[pid];
    return process.stdout.write(state.serveText ?? JSON.stringify(state.serve ?? null, null, 2));
  }

  const port = /--https=(\d+)/.exec(rest.join(' '))?.[1];
  const mount = rest.find((arg) => arg.startsWith('--set-path='))?.slice('--set-path='.length);
  const last = rest.at(-1);
  const host = state.status.Self.DNSName.replace(/\.$/, '');
  const name = `${host}:${port}`;
  if (state.conflicts > 0) {
    write({ ...state, conflicts: state.conflicts - 1 });
    fail('Another client is changing the serve config; please try again.');
  }
  if (state.denied) fail("sending serve config: Access denied: serve config denied\n\nUse 'sudo tailscale serve'.");
  const isOff = last === 'off';
  if (!isOff && state.occupied) fail(`sending serve config: updating config: listener already exists for port ${port}`);
  if (!isOff && last.startsWith('unix:') && state.needsRoot)
    fail("must be root, or be an operator and able to run 'sudo tailscale' to serve a path or Unix socket");
  if (!isOff && state.consent) {
    process.stdout.write(
      `${command} is not enabled on your tailnet.\nTo enable, visit:\n\n         ${state.consent}\n`,
    );
    if (state.consentWaits) await new Promise((resolve) => setTimeout(resolve, 600_000));
    process.exit(0);
  }
  if (!isOff && state.isWithoutEffect) process.exit(0);

  const serve = state.serve ?? {};
  if (isOff) {
    const handlers = serve.Web?.[name]?.Handlers;
    if (mount === undefined) delete serve.Web?.[name];
    else if (handlers?.[mount] === undefined) fail('error: failed to remove web serve: handler does not exist');
    else delete handlers[mount];
    if (Object.keys(serve.Web?.[name]?.Handlers ?? {}).length === 0) {
      delete serve.Web?.[name];
      delete serve.TCP?.[port];
      delete serve.AllowFunnel?.[name];
    }
    return write({ ...state, serve });
  }
  const isHeld = !rest.includes('--bg');
  if (isHeld && serve.TCP?.[port] !== undefined) fail('background configuration already exists');
  const place = isHeld ? ((serve.Foreground ??= {})[process.pid] ??= {}) : serve;
  (place.TCP ??= {})[port] = { HTTPS: true };
  ((place.Web ??= {})[name] ??= { Handlers: {} }).Handlers[mount ?? '/'] = { Proxy: last };
  if (command === 'funnel') (place.AllowFunnel ??= {})[name] = true;
  else delete place.AllowFunnel?.[name];
  write({ ...state, serve });
  if (!isHeld) return;
  process.stdout.write('Available on the internet:\nPress Ctrl+C to exit.\n');
  if (state.heldEndsAfterMs) setTimeout(() => process.exit(1), state.heldEndsAfterMs);
  await new Promise((resolve) => setTimeout(resolve, 600_000));
}

function print(value) {
  process.stderr.write('Warning: client version differs from server version\n');
  process.stdout.write(JSON.stringify(value, null, 2));
}

function isAlive(pid) {
  try {
    process.kill(Number(pid), 0);
    return !/^\S+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
