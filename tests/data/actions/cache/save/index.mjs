const { saveCache } = await import(`${process.env.NODE_FOLDER}/@actions/cache/lib/cache.js`);
const paths = process.env.INPUT_PATH.split("\n").filter(Boolean);
console.log(`saved: ${await saveCache(paths, process.env.INPUT_KEY)}`);
