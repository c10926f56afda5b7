/**
 * The dead man: `FLOW=ocpp npm start` is killed while ten stations charge and the house takes its load. Clocks run fast; what is
 * said is seconds of theirs.
 */
import assert from 'node:assert/strict';
import type { PerPhase, Phase } from '../../core/units.ts';
import { freePort } from '../helpers/free-port.ts';
import { type Mosquitto, mosquitto } from './mosquitto.ts';
import { RunningHome } from './node-red.ts';
import { type OcppSite, startOcppSite } from './ocpp-site.ts';
import { fastClock, until } from './support.ts';

const FACTOR = 10;
const RATING_A = 63;
const SAFE_A = 6;
/** The house takes as much as the circuit says that it may when nothing is known. */
const HOUSE: PerPhase = [10, 10, 10];
const DURATION_S = 300;
const METER_S = 5;
/** A of what a meter shows. */
const NOISE_A = 0.3;
const SHELLY = 'shellyem3-C8C9A3000002';

/** Those that flows/ocpp.json knows; nobody is at two of them. */
const STATIONS: Record<string, Phase[]> = {
  CP001: ['L1'],
  CP002: ['L2'],
  CP003: ['L3'],
  CP004: ['L1'],
  CP005: ['L2'],
  CP006: ['L3'],
  CP007: ['L2', 'L3', 'L1'],
  CP008: ['L3', 'L1', 'L2'],
  CP009: ['L2', 'L3', 'L1'],
  CP010: ['L1', 'L2', 'L3'],
  CP011: ['L1', 'L2', 'L3'],
  CP012: ['L1', 'L2', 'L3'],
};

describe('a central system that dies', function () {
  this.timeout(150_000);
  let broker: Mosquitto;
  let server: RunningHome;
  let site: OcppSite;

  before(async () => {
    broker = await mosquitto();
    const began = Date.now();
    const port = await freePort();
    server = new RunningHome({
      ...fastClock(FACTOR, began),
      FLOW: 'ocpp',
      SIMULATE: '0',
      MQTT_URL: broker.url,
      SHELLY_ID: SHELLY,
      OCPP_PORT: String(port),
    });
    await server.start();
    site = await startOcppSite({
      mqttUrl: broker.url,
      ocppUrl: `ws://127.0.0.1:${port}`,
      shellyId: SHELLY,
      stations: STATIONS,
      empty: ['CP005', 'CP006'],
      house: HOUSE,
      factor: FACTOR,
      began,
    });
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') console.log(server?.log.slice(-4000), site?.draws(), site?.highest());
  });

  after(async () => {
    await site?.stop();
    await server?.remove();
    await broker?.stop();
  });

  const charging = () => Object.values(site.draws()).filter((draw) => draw >= SAFE_A - NOISE_A).length;
  const above = () => Object.values(site.draws()).filter((draw) => draw > SAFE_A + NOISE_A).length;
  const most = () => Math.max(...site.highest());
  const show = (what: string) =>
    console.log(
      `      ${what}: ${charging()} charge, ${above()} above safe; ${site.total().map(Math.round).join('/')} A now, at most ${most().toFixed(1)} A`,
    );

  it('lets ten stations charge within the rating', async () => {
    await until(() => charging() === 10 && above() >= 2);
    const since = site.now();
    await until(() => site.now() - since > 60_000);
    show('before');
    assert.ok(most() <= RATING_A, `${most()} A`);
  });

  it('killed, leaves each station at or below its safe current in time, and the rating is kept', async () => {
    site.reset();
    await server.stop('SIGKILL');
    const killed = site.now();
    let safeAfter: number | undefined;
    await until(() => {
      safeAfter = above() === 0 ? (safeAfter ?? site.now() - killed) : undefined;
      return site.now() - killed >= (DURATION_S + METER_S + 5) * 1000;
    });
    show(`${DURATION_S + METER_S + 5} s after the kill (all safe after ${((safeAfter ?? 0) / 1000).toFixed(0)} s)`);
    for (const [identity, draw] of Object.entries(site.draws()))
      assert.ok(draw <= SAFE_A + NOISE_A, `${identity}: ${draw} A`);
    assert.ok(most() <= RATING_A, `${most()} A`);
  });

  it('started again, goes on from there within the rating', async () => {
    site.reset();
    await server.start();
    await until(() => above() >= 2);
    const since = site.now();
    await until(() => site.now() - since > 60_000);
    show('after the restart');
    assert.ok(most() <= RATING_A, `${most()} A`);
  });
});
