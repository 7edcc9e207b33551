import { appendFileSync } from "node:fs";

const { restoreCache } = await import(`${process.env.NODE_FOLDER}/@actions/cache/lib/cache.js`);
const lines = (name) => process.env[`INPUT_${name}`].split("\n").filter(Boolean);
const key = process.env.INPUT_KEY;
const found = await restoreCache(lines("PATH"), key, lines("RESTORE-KEYS"));
// Keys are compared without regard to case: act's server answers in small letters.
const hit = found ? `cache-hit=${found.toLowerCase() === key.toLowerCase()}\ncache-matched-key=${found}\n` : "";
appendFileSync(process.env.GITHUB_OUTPUT, `cache-primary-key=${key}\n${hit}`);
console.log(`restored: ${found}`);
