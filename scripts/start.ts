/**
 * `npm start`: an MQTT broker if none is named, the simulated devices of the flow unless real ones are expected,
 * and Node-RED with the flow. Ends all of them together.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBroker } from './start/broker.ts';
import {
  type Environment,
  flowEnvironment,
  readEnvironment,
  StartError,
  type StartSettings,
  withDotEnv,
} from './start/environment.ts';
import { credentialSecret, prepareUserDir } from './start/user-directory.ts';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const GRACE_MS = 15_000;

type Stop = () => Promise<void>;

async function main(): Promise<number> {
  const env = withDotEnv(process.env, join(ROOT, '.env'));
  const settings = readEnvironment(env, ROOT);
  await refuseBusyPort(settings);
  const running: Stop[] = [];
  try {
    return await run(settings, env, running);
  } finally {
    for (const stop of running.reverse()) await stop();
  }
}

async function run(settings: StartSettings, env: Environment, running: Stop[]): Promise<number> {
  const { userDir, flow } = settings;
  const secret = env.CREDENTIAL_SECRET || credentialSecret(userDir);
  const reset = process.argv.includes('--reset');
  const outcome = prepareUserDir({ root: ROOT, userDir, flow, reset, now: new Date(), secret });
  if (outcome) say(outcome);
  const mqttUrl = settings.mqttUrl ?? (await embeddedBroker(settings, running));
  if (settings.simulate) await simulate(settings, mqttUrl, running);
  else say(`no simulated devices: ${expected(settings)} are expected`);
  const child = startNodeRed(settings, {
    ...env,
    ...flowEnvironment(settings, mqttUrl, env),
    CREDENTIAL_SECRET: secret,
  });
  const shown = settings.host === '0.0.0.0' ? 'localhost' : settings.host;
  say(
    `editor http://${shown}:${settings.port}/ — dashboard http://${shown}:${settings.port}/dashboard — end with Ctrl-C`,
  );
  const stopChild = () => end(child);
  process.on('SIGINT', stopChild).on('SIGTERM', stopChild).on('SIGHUP', stopChild);
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 0;
}

async function embeddedBroker(settings: StartSettings, running: Stop[]): Promise<string> {
  const broker = await startBroker({
    host: settings.mqttHost,
    port: settings.mqttPort,
    user: settings.mqttUser,
    password: settings.mqttPassword,
  });
  running.push(broker.stop);
  say(`MQTT broker on ${settings.mqttHost}:${settings.mqttPort}`);
  return broker.url;
}

const SIMULATED: Record<string, typeof simulateHome> = { home: simulateHome, ocpp: simulateOcpp };

async function simulate(settings: StartSettings, mqttUrl: string, running: Stop[]): Promise<void> {
  const { flow, mqttUser, mqttPassword } = settings;
  if (!Object.hasOwn(SIMULATED, flow)) return say(`the flow "${flow}" has no simulated devices`);
  const login = { mqttUrl, username: mqttUser || undefined, password: mqttPassword || undefined };
  await SIMULATED[flow](settings, login, running);
}

type Login = { mqttUrl: string; username?: string; password?: string };

async function simulateHome(settings: StartSettings, login: Login, running: Stop[]): Promise<void> {
  const { startHome } = await import('../simulator/home.ts');
  const { mainFuseA, mainFuseType, shellyId, shellyGeneration, goESerial, goEApi } = settings;
  const home = await startHome({ ...login, shellyId, shellyGeneration, goESerial, goEApi, mainFuseA, mainFuseType });
  running.push(() => home.stop());
  say(`simulated: Shelly 3EM "${shellyId}" and go-e charger "${goESerial}" (SIMULATE=0 for real devices)`);
}

async function simulateOcpp(settings: StartSettings, login: Login, running: Stop[]): Promise<void> {
  const { startSite, SITE_STATIONS } = await import('../simulator/ocpp/site.ts');
  const { shellyId, shellyGeneration, ocppPort } = settings;
  const ocppUrl = `ws://127.0.0.1:${ocppPort}`;
  const site = await startSite({ ...login, shellyId, shellyGeneration, ocppUrl });
  running.push(() => site.stop());
  const stations = `${SITE_STATIONS.length} OCPP stations, ${SITE_STATIONS[0].identity} to ${SITE_STATIONS.at(-1)?.identity}`;
  say(`simulated: Shelly 3EM "${shellyId}" and ${stations}, which dial ${ocppUrl} (SIMULATE=0 for real devices)`);
}

function expected({ flow, shellyId, goESerial, ocppPort }: StartSettings): string {
  if (flow === 'ocpp') return `Shelly "${shellyId}" and OCPP stations on port ${ocppPort}`;
  return `Shelly "${shellyId}" and go-e "${goESerial}"`;
}

/** Node-RED as a child. The channel between the two lets it end when this process dies, however that happens. */
function startNodeRed(settings: StartSettings, env: Environment): ChildProcess {
  const red = createRequire(import.meta.url).resolve('node-red/red.js');
  const args = [red, '--settings', join(ROOT, 'settings.js'), '--userDir', settings.userDir];
  return spawn(process.execPath, args, {
    cwd: settings.userDir,
    env,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
}

function end(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref();
}

async function refuseBusyPort({ host, port }: StartSettings): Promise<void> {
  const probe = createServer();
  probe.listen(port, host);
  const error = await Promise.race([once(probe, 'listening').then(() => undefined), once(probe, 'error')]).catch(
    (e) => [e],
  );
  probe.close();
  if (error)
    throw new StartError(
      `HOST=${host} PORT=${port}: ${(error[0] as Error).message}. Is Node-RED running already? Set PORT to a free one.`,
    );
}

function say(text: string): void {
  process.stdout.write(`fusewise: ${text}\n`);
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(
      `fusewise: ${error instanceof StartError ? error.message : ((error as Error).stack ?? error)}\n`,
    );
    process.exit(1);
  },
);
