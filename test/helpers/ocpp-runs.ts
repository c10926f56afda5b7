/** Beginnings that many tests of a station share. */
import { StationWorld, type WorldOptions } from './ocpp-station-world.ts';

/** Connected, probed, with its safe default. */
export function ready(options: WorldOptions = {}): StationWorld {
  const world = new StationWorld(options);
  world.connect();
  world.pass(6);
  return world;
}

/** Charging for 30 s at a set-point that is kept up. */
export function charging(current: number, options: WorldOptions = {}): StationWorld {
  const world = ready(options);
  world.plugIn();
  keep(world, current, 30);
  return world;
}

/** Sends a set-point every 5 s. */
export function keep(world: StationWorld, current: number, seconds: number): void {
  for (let i = 0; i < seconds; i += 5) {
    world.setpoint(current, 30);
    world.pass(Math.min(5, seconds - i));
  }
}
