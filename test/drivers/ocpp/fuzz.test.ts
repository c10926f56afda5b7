import { assertUnharmed, fuzz } from './fuzz.ts';

describe('OCPP fuzz', function () {
  this.timeout(120_000);

  it('2,000 frames: the server lives, its memory is flat, other stations are answered as before', async () => {
    assertUnharmed(await fuzz(2000, 1), 2000);
  });
});
