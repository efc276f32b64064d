(() => {
  const players = [...document.querySelectorAll("audio, video")];
  const stage = document.querySelector(".stage");
  const lines = [...document.querySelectorAll(".lyrics li")];
  const words = lines.map((line) => [...line.querySelectorAll("span")]);
  const at = (element) => Number(element.dataset.at);
  let playing = players[0], shown = -1;

  const follow = () => {
    const now = playing.currentTime + 0.05;
    let line = -1;
    while (line + 1 < lines.length && at(lines[line + 1]) <= now) line += 1;
    if (line !== shown) {
      lines.forEach((element, index) => element.classList.toggle("now", index === line));
      if (line >= 0 && !playing.paused)
        stage.scrollTop = lines[line].offsetTop - stage.offsetTop - (stage.clientHeight - lines[line].offsetHeight) / 2;
      shown = line;
    }
    if (line >= 0) words[line].forEach((word) => word.classList.toggle("sung", at(word) <= now));
  };
  const frame = () => {
    follow();
    if (!playing.paused) requestAnimationFrame(frame);
  };
  for (const player of players) {
    player.addEventListener("play", () => {
      playing = player;
      players.filter((other) => other !== player).forEach((other) => other.pause());
      requestAnimationFrame(frame);
    });
    player.addEventListener("seeked", follow);
  }
  lines.forEach((line) =>
    line.addEventListener("click", () => {
      playing.currentTime = at(line);
      playing.play();
    })
  );
})();
