// Generates the example assets, the same bytes each time: node examples/make-assets.js
import { writeFileSync } from 'node:fs';
import { crc32, deflateSync } from 'node:zlib';

const save = (name, bytes) => writeFileSync(new URL(`assets/${name}`, import.meta.url), bytes);

/** A sunflower: seed n stands at n golden angles, at a distance of √n. */
function sunflower(width, height) {
  const golden = Math.PI * (3 - Math.sqrt(5));
  const seeds = Array.from({ length: 620 }, (_, n) => {
    const distance = 7.6 * Math.sqrt(n + 0.5);
    return {
      x: width / 2 + distance * Math.cos(n * golden),
      y: height / 2 + distance * Math.sin(n * golden),
      radius: 1.6 + distance / 48,
      colour: hue(0.11 + (0.55 * distance) / 190 + 0.05 * Math.sin(n * golden * 3)),
    };
  });
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    const sky = [13 + y / 26, 15 + y / 22, 34 + y / 9].map(Math.round);
    for (let x = 0; x < width; x += 1) pixels.set(sky, (y * width + x) * 3);
  }
  for (const seed of seeds) paint(pixels, width, height, seed);
  return pixels;
}

/** A disc with a soft rim of one pixel. */
function paint(pixels, width, height, { x, y, radius, colour }) {
  for (let v = Math.max(0, Math.floor(y - radius - 1)); v <= Math.min(height - 1, y + radius + 1); v += 1) {
    for (let u = Math.max(0, Math.floor(x - radius - 1)); u <= Math.min(width - 1, x + radius + 1); u += 1) {
      const cover = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(u - x, v - y)));
      const at = (v * width + u) * 3;
      for (let c = 0; c < 3; c += 1) pixels[at + c] = Math.round(pixels[at + c] * (1 - cover) + colour[c] * cover);
    }
  }
}

/** 0…1 once around the circle of colours. */
function hue(turn) {
  return [0, 1 / 3, 2 / 3].map((shift) => {
    const wave = 0.5 + 0.5 * Math.cos(2 * Math.PI * (turn - shift));
    return Math.round(255 * (0.25 + 0.75 * wave));
  });
}

/** 8-bit RGB. */
function png(width, height, pixels) {
  const rows = Buffer.alloc(height * (width * 3 + 1));
  for (let y = 0; y < height; y += 1) {
    pixels.copy(rows, y * (width * 3 + 1) + 1, y * width * 3, (y + 1) * width * 3);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND')]);
}

function chunk(type, data = Buffer.alloc(0)) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** Four bells, one after another, each with an overtone and dying away. */
function chime(rate, seconds) {
  const notes = [523.25, 659.25, 783.99, 1046.5];
  return Array.from({ length: Math.round(rate * seconds) }, (_, n) => {
    const t = n / rate;
    const sound = notes.map((hertz, k) => {
      const since = t - 0.22 * k;
      if (since < 0) return 0;
      const strike = Math.min(1, since / 0.004) * Math.exp(-4.5 * since);
      return strike * (Math.sin(2 * Math.PI * hertz * since) + 0.3 * Math.sin(2 * Math.PI * 2.76 * hertz * since));
    });
    const fade = Math.min(1, (seconds - t) / 0.1);
    return 0.28 * fade * sound.reduce((sum, it) => sum + it, 0);
  });
}

/** 16-bit mono PCM. */
function wav(rate, samples) {
  const data = Buffer.alloc(samples.length * 2);
  samples.forEach((sample, n) => data.writeInt16LE(Math.round(32767 * Math.max(-1, Math.min(1, sample))), n * 2));
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + data.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}

save('sunflower.png', png(640, 400, sunflower(640, 400)));
save('chime.wav', wav(22050, chime(22050, 1.8)));
