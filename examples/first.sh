sluice init forum
sluice view add forum by_author --json '{"kind":"index","key":["/author","/time"]}'
sluice append forum --key m1 --json '{"author":"@ada","time":1,"text":"hello"}'
sluice append forum --key m2 --json '{"author":"@ada","time":2,"text":"my address is ..."}'
sluice erase forum --key m2 --reason 'asked to' --yes
sluice read forum by_author --values
sluice verify forum
