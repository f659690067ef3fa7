"""Every text that people read in the report and on the command line, in English and Portuguese."""

from __future__ import annotations

from typing import Any

from nervura.errors import OptionError, did_you_mean

LANGUAGES = ("en", "pt")


def text(key: str, lang: str = "en", **values: Any) -> str:
    """The message ``key`` in a language, with ``values`` in its places.

    Raises:
        OptionError: there is no such language.
    """
    return MESSAGES[key][language_index(lang)].format(**values)


def language_index(lang: str) -> int:
    """Where a language stands in each entry of ``MESSAGES``.

    Raises:
        OptionError: there is no such language.
    """
    if lang not in LANGUAGES:
        raise OptionError(f"Texts come in 'en' and 'pt'; '{lang}' was given. {did_you_mean(lang, LANGUAGES)}")
    return LANGUAGES.index(lang)


MESSAGES: dict[str, tuple[str, str]] = {
    # The page
    "page.title": ("{name}: report", "{name}: relatório"),
    "page.kind": ("Training report", "Relatório de treino"),
    "page.skip": ("Skip to the verdict", "Saltar para o veredicto"),
    "page.contents": ("Contents", "Conteúdo"),
    "page.asks": ("Predicting {target} from {inputs} columns", "Prever {target} a partir de {inputs} colunas"),
    "page.asks_pictures": ("Predicting {target} from pictures", "Prever {target} a partir de imagens"),
    "page.unfinished": (
        "This run was not finished (status: {status}); the report shows what there is.",
        "Esta execução não foi terminada (estado: {status}); o relatório mostra o que existe.",
    ),
    "page.missing": (
        "Left out, because the run has no {file}: {section}.",
        "Omitido, porque a execução não tem {file}: {section}.",
    ),
    "page.more": ("… and {count} more", "… e mais {count}"),
    "page.made_by": ("Made by nervura {version}", "Feito pelo nervura {version}"),
    "page.scrolls": ("{name} (the table scrolls sideways)", "{name} (a tabela desliza para os lados)"),
    # Sections
    "section.verdict": ("Verdict", "Veredicto"),
    "section.scores": ("Scores", "Resultados"),
    "section.classes": ("Where it is right and wrong", "Onde acerta e onde erra"),
    "section.values": ("Where it is right and wrong", "Onde acerta e onde erra"),
    "section.importance": ("Which columns matter", "Que colunas importam"),
    "section.gallery": ("Pictures", "Imagens"),
    "section.inside": ("Inside the network", "Dentro da rede"),
    "section.network": ("Network", "Rede"),
    "section.training": ("Training", "Treino"),
    "section.problem": ("Problem", "Problema"),
    "section.data": ("Data", "Dados"),
    "section.split": ("Split", "Divisão dos dados"),
    "section.made": ("How it was made", "Como foi feito"),
    # Verdict
    "verdict.choice": ("Model to use", "Modelo a usar"),
    "verdict.best": ("Best on validation data", "Melhor nos dados de validação"),
    "verdict.deep": ("Is depth warranted?", "A profundidade justifica-se?"),
    "verdict.yes": ("yes", "sim"),
    "verdict.no": ("no", "não"),
    "verdict.undecided": ("undecided", "por decidir"),
    "verdict.score": ("{metric}, test rows", "{metric}, linhas de teste"),
    "verdict.use": ("To predict with {name}: {command}", "Para prever com {name}: {command}"),
    "verdict.differences": (
        "Each model minus the best ({best}), on the same test rows. An interval that holds 0 is within noise.",
        "Cada modelo menos o melhor ({best}), nas mesmas linhas de teste. Um intervalo que contém 0 está dentro do ruído.",
    ),
    # Scores
    "model.constant": ("constant guess", "palpite constante"),
    "model.linear": ("linear model", "modelo linear"),
    "model.boosting": ("boosted trees by scikit-learn", "árvores com boosting, de scikit-learn"),
    "model.lightgbm": ("boosted trees by LightGBM", "árvores com boosting, de LightGBM"),
    "model.catboost": ("boosted trees by CatBoost", "árvores com boosting, de CatBoost"),
    "scores.caption": (
        "{metric} on {rows} test rows, with 95 % intervals",
        "{metric} em {rows} linhas de teste, com intervalos de 95 %",
    ),
    "scores.all": (
        "Every metric on the test rows, with 95 % intervals",
        "Todas as métricas nas linhas de teste, com intervalos de 95 %",
    ),
    "scores.depths": (
        "The same network with fewer or more hidden layers",
        "A mesma rede com menos ou mais camadas escondidas",
    ),
    "scores.depth": ("{count} hidden layers", "{count} camadas escondidas"),
    "scores.depth_one": ("1 hidden layer", "1 camada escondida"),
    "scores.depth_none": ("no hidden layer", "nenhuma camada escondida"),
    "scores.this": ("this network", "esta rede"),
    "scores.between": ("{value}, from {low} to {high}", "{value}, de {low} a {high}"),
    "direction.low": ("lower is better", "menos é melhor"),
    "direction.high": ("higher is better", "mais é melhor"),
    "metric.log_loss": ("Log loss", "Perda logarítmica"),
    "metric.roc_auc": ("ROC area", "Área ROC"),
    "metric.average_precision": ("Average precision", "Precisão média"),
    "metric.accuracy": ("Accuracy", "Exatidão"),
    "metric.balanced_accuracy": ("Balanced accuracy", "Exatidão equilibrada"),
    "metric.f1": ("F1", "F1"),
    "metric.f1_macro": ("Macro F1", "F1 macro"),
    "metric.brier": ("Brier score", "Pontuação de Brier"),
    "metric.rmse": ("Root mean squared error", "Raiz do erro quadrático médio"),
    "metric.mae": ("Mean absolute error", "Erro absoluto médio"),
    "metric.r2": ("R²", "R²"),
    # Columns of tables
    "column.model": ("Model", "Modelo"),
    "column.interval": ("95 % interval", "Intervalo de 95 %"),
    "column.score": ("Score", "Resultado"),
    "column.trial": ("Trial", "Ensaio"),
    "column.weight": ("Weight", "Peso"),
    "column.difference": ("Difference", "Diferença"),
    "column.seconds": ("Seconds", "Segundos"),
    "column.layer": ("Layer", "Camada"),
    "column.type": ("Type", "Tipo"),
    "column.shape": ("Output shape", "Forma da saída"),
    "column.parameters": ("Parameters", "Parâmetros"),
    "column.note": ("Note", "Nota"),
    "column.epoch": ("Epoch", "Época"),
    "column.first": ("First epoch", "Primeira época"),
    "column.middle": ("Median", "Mediana"),
    "column.last": ("Last epoch", "Última época"),
    "column.change": ("Last step ÷ weights", "Último passo ÷ pesos"),
    "column.loss": ("Training loss", "Perda de treino"),
    "column.val_loss": ("Validation loss", "Perda de validação"),
    "column.rate": ("Learning rate", "Taxa de aprendizagem"),
    "column.column": ("Column", "Coluna"),
    "column.kind": ("Kind", "Tipo"),
    "column.role": ("Role", "Papel"),
    "column.missing": ("Missing", "Em falta"),
    "column.distinct": ("Distinct", "Distintos"),
    "column.examples": ("Examples", "Exemplos"),
    "column.remark": ("Remark", "Observação"),
    "column.importance": ("Importance", "Importância"),
    "column.true": ("True class", "Classe verdadeira"),
    "column.predicted": ("Predicted class", "Classe prevista"),
    "column.recall": ("Recall", "Sensibilidade"),
    "column.precision": ("Precision", "Precisão"),
    "column.class": ("Class", "Classe"),
    "column.area": ("ROC area", "Área ROC"),
    "column.average_precision": ("Average precision", "Precisão média"),
    "column.probability": ("Predicted probability", "Probabilidade prevista"),
    "column.share": ("Share that is so", "Parte que é assim"),
    "column.rows": ("Rows", "Linhas"),
    "column.share_of_rows": ("Share", "Parte"),
    "column.part": ("Part", "Parte"),
    "column.problem": ("Problem", "Problema"),
    "column.reason": ("Why not", "Porque não"),
    "column.quantile": ("Share of rows below", "Parte das linhas abaixo"),
    "column.residual": ("Residual", "Resíduo"),
    # Kinds and roles of columns, parts of the split
    "kind.number": ("number", "número"),
    "kind.category": ("category", "categoria"),
    "kind.boolean": ("yes or no", "sim ou não"),
    "kind.datetime": ("date and time", "data e hora"),
    "kind.text": ("text", "texto"),
    "kind.image": ("picture", "imagem"),
    "role.input": ("input", "entrada"),
    "role.target": ("target", "alvo"),
    "role.group": ("group", "grupo"),
    "role.time": ("time", "tempo"),
    "role.aside": ("set aside", "posta de lado"),
    "part.train": ("training", "treino"),
    "part.validation": ("validation", "validação"),
    "part.test": ("test", "teste"),
    "part.left out": ("left out", "omitidas"),
    "problem.binary": ("two classes", "duas classes"),
    "problem.multiclass": ("several classes", "várias classes"),
    "problem.regression": ("a value", "um valor"),
    # Classes
    "classes.confusion": (
        "Confusion matrix: each line is a true class, each column a predicted one",
        "Matriz de confusão: cada linha é uma classe verdadeira, cada coluna uma prevista",
    ),
    "classes.confusion_note": (
        "{right} of {all} test rows are on the diagonal ({share}).",
        "{right} de {all} linhas de teste estão na diagonal ({share}).",
    ),
    "classes.threshold": (
        "The network says {name} where it gives it a probability above {threshold}, which is best for {metric} on "
        "held-out rows.",
        "A rede diz {name} quando lhe dá uma probabilidade acima de {threshold}, o melhor para {metric} em linhas "
        "reservadas.",
    ),
    "classes.weights": (
        "The network names the class whose probability times its weight is largest. Weights that are best for {metric} on "
        "held-out rows: {weights}.",
        "A rede nomeia a classe cuja probabilidade vezes o seu peso é maior. Pesos melhores para {metric} em linhas "
        "reservadas: {weights}.",
    ),
    "classes.rare": (
        "{name} has {share} of the training rows, so the likeliest class is seldom it. To have it named more often, train "
        "with another metric: {ways}.",
        "{name} tem {share} das linhas de treino, por isso raramente é a classe mais provável. Para que seja nomeada mais "
        "vezes, treine com outra métrica: {ways}.",
    ),
    "classes.way": (
        "--metric {metric} (best threshold: {threshold})",
        "--metric {metric} (melhor limiar: {threshold})",
    ),
    "classes.trust": (
        "How far the probabilities of each model can be trusted, on the test rows; less is better",
        "Quanto se pode confiar nas probabilidades de cada modelo, nas linhas de teste; menos é melhor",
    ),
    "column.calibration_error": ("Expected calibration error", "Erro de calibração esperado"),
    "classes.roc": ("ROC curve", "Curva ROC"),
    "classes.roc_note": (
        "How many of a class are found against how many others are taken for it. The dashed line is guessing.",
        "Quantos de uma classe são encontrados face a quantos outros são tomados por ela. O tracejado é adivinhar.",
    ),
    "classes.precision_recall": ("Precision and recall", "Precisão e sensibilidade"),
    "classes.precision_recall_note": (
        "How often a class is named rightly against how many of it are found.",
        "Com que frequência uma classe é bem nomeada face a quantos dela são encontrados.",
    ),
    "classes.curves": ("Areas under the curves", "Áreas sob as curvas"),
    "scores.curve": ("Would more rows help?", "Mais linhas ajudariam?"),
    "scores.curve_note": (
        "Boosted trees after ever more of the training rows, judged on the same test rows. Where the last doubling still "
        "gains clearly, more rows would help any model.",
        "Árvores com boosting depois de cada vez mais linhas de treino, avaliadas nas mesmas linhas de teste. Onde a última "
        "duplicação ainda ganha claramente, mais linhas ajudariam qualquer modelo.",
    ),
    "scores.intervals": (
        "Intervals made to hold the truth of {level} of new rows hold it in {found} of the {rows} test rows (95 % interval "
        "{low} to {high}); they are {width} wide.",
        "Os intervalos feitos para conter a verdade em {level} das linhas novas contêm-na em {found} das {rows} linhas de "
        "teste (intervalo de 95 %: {low} a {high}); têm a largura de {width}.",
    ),
    "scores.sets": (
        "Sets of classes made to hold the truth of {level} of new rows hold it in {found} of the {rows} test rows (95 % "
        "interval {low} to {high}); they hold {size} classes on average.",
        "Os conjuntos de classes feitos para conter a verdade em {level} das linhas novas contêm-na em {found} das {rows} "
        "linhas de teste (intervalo de 95 %: {low} a {high}); têm em média {size} classes.",
    ),
    "classes.reliability": ("Reliability curve", "Curva de fiabilidade"),
    "classes.reliability_note": (
        "When the network says 70 %, is it so in 70 % of the rows? On the dashed line it is. "
        "Expected calibration error: {error}.",
        "Quando a rede diz 70 %, é assim em 70 % das linhas? No tracejado, é. Erro de calibração esperado: {error}.",
    ),
    "axis.false_positive_rate": ("False positive rate", "Taxa de falsos positivos"),
    "axis.true_positive_rate": ("True positive rate", "Taxa de verdadeiros positivos"),
    "axis.true": ("True value", "Valor verdadeiro"),
    "axis.predicted": ("Predicted value", "Valor previsto"),
    "axis.loss": ("Loss", "Perda"),
    "axis.norm": ("Gradient norm", "Norma do gradiente"),
    # Values
    "values.scatter": ("Predicted against true", "Previsto face ao verdadeiro"),
    "values.scatter_note": (
        "{rows} test rows; the true values go from {low} to {high}, the predicted ones from {from} to {to}. "
        "On the dashed line a prediction is exact.",
        "{rows} linhas de teste; os valores verdadeiros vão de {low} a {high}, os previstos de {from} a {to}. "
        "No tracejado a previsão é exata.",
    ),
    "values.residuals": ("Residuals", "Resíduos"),
    "values.residuals_note": (
        "True minus predicted, {rows} rows; the fullest bar goes from {low} to {high} and holds {count}.",
        "Verdadeiro menos previsto, {rows} linhas; a barra mais cheia vai de {low} a {high} e contém {count}.",
    ),
    "values.quantiles": ("Quantiles of the residuals", "Quantis dos resíduos"),
    # Importance
    "inside.stack": ("From the picture to the answer", "Da imagem à resposta"),
    "inside.stack_note": (
        "Bytes are those of one picture's activations; a value of the layer depends on no more of the picture than its "
        "field.",
        "Os bytes são os das ativações de uma imagem; um valor da camada não depende de mais da imagem do que o seu campo.",
    ),
    "inside.saved": (
        "Without pooling the maps would take {times} times the bytes.",
        "Sem agrupamento os mapas ocupariam {times} vezes os bytes.",
    ),
    "inside.shifts": ("When the pictures are shifted", "Quando as imagens são deslocadas"),
    "inside.shifts_note": (
        "Test pictures, each moved in four directions, their edges repeated, and shown once: without the mean over views.",
        "Imagens de teste, cada uma deslocada em quatro direções, com as margens repetidas, e mostrada uma vez: sem a média "
        "de vistas.",
    ),
    "inside.filters": ("Filters of the first layer", "Filtros da primeira camada"),
    "inside.maps": ("A picture, layer by layer", "Uma imagem, camada a camada"),
    "inside.excited": ("What excites the channels of each layer", "O que excita os canais de cada camada"),
    "inside.excited_note": (
        "The patches of training pictures that a channel answers most, and, of some layers, a picture made to excite it.",
        "Os recortes de imagens de treino a que um canal mais responde e, de algumas camadas, uma imagem feita para o "
        "excitar.",
    ),
    "inside.field": ("sees {height} x {width} pixels", "vê {height} x {width} píxeis"),
    "inside.channel": ("channel {channel}", "canal {channel}"),
    "inside.dream": ("A picture made to excite a channel", "Uma imagem feita para excitar um canal"),
    "inside.answers": ("Where answers come from", "De onde vêm as respostas"),
    "inside.answers_note": (
        "Each picture beside where it speaks for the answer (Grad-CAM), and where the answer loses most when a grey square "
        "hides the picture.",
        "Cada imagem ao lado de onde fala pela resposta (Grad-CAM) e de onde a resposta mais perde quando um quadrado "
        "cinzento esconde a imagem.",
    ),
    "inside.map": ("The last hidden layer in two dimensions", "A última camada escondida em duas dimensões"),
    "inside.map_note": (
        "Test pictures at their places on the two principal axes of what the network makes of them.",
        "Imagens de teste nos seus lugares nos dois eixos principais do que a rede faz delas.",
    ),
    "inside.left_out": ("Left out for lack of time: {parts}.", "Omitido por falta de tempo: {parts}."),
    "column.field": ("Field", "Campo"),
    "column.bytes": ("Bytes", "Bytes"),
    "column.pixels": ("Pixels", "Píxeis"),
    "gallery.examples": ("Test pictures of each class", "Imagens de teste de cada classe"),
    "gallery.spread": (
        "Test pictures, from the lowest value to the highest",
        "Imagens de teste, do menor valor ao maior",
    ),
    "gallery.mistakes": ("The surest mistakes", "Os erros mais seguros"),
    "gallery.mistakes_note": (
        "Of {rows} test pictures {wrong} are answered wrongly; these are the {count} whose wrong class was held most "
        "probable. A label that is wrong in the data shows here too.",
        "De {rows} imagens de teste, {wrong} têm resposta errada; estas são as {count} cuja classe errada foi tida por "
        "mais provável. Uma etiqueta errada nos dados também aparece aqui.",
    ),
    "gallery.farthest": ("The answers farthest off", "As respostas mais afastadas"),
    "gallery.true": ("true: {name}", "verdade: {name}"),
    "gallery.predicted": ("answer: {name}", "resposta: {name}"),
    "importance.caption": (
        "How much worse the score ({metric}) becomes when a column is shuffled, with 95 % intervals",
        "Quanto piora o resultado ({metric}) quando uma coluna é baralhada, com intervalos de 95 %",
    ),
    "importance.caption_plain": (
        "How much worse the score becomes when a column is shuffled, with 95 % intervals",
        "Quanto piora o resultado quando uma coluna é baralhada, com intervalos de 95 %",
    ),
    # Network
    "network.summary": ("{network}: {summary}", "{network}: {summary}"),
    "network.parameters": ("{count} parameters in {layers} layers", "{count} parâmetros em {layers} camadas"),
    "network.picture": (
        "The network from input to output, {count} layers; the table below says the same.",
        "A rede da entrada à saída, {count} camadas; a tabela abaixo diz o mesmo.",
    ),
    "network.picture_caption": (
        "From input (top) to output (bottom). The wider the box, the more values leave it.",
        "Da entrada (em cima) à saída (em baixo). Quanto mais larga a caixa, mais valores saem dela.",
    ),
    "network.layers": ("Layers in the order of computation", "Camadas por ordem de cálculo"),
    "network.inputs": ("{count} features", "{count} atributos"),
    "network.one_input": ("1 feature", "1 atributo"),
    "network.parameters_short": ("{count} parameters", "{count} parâmetros"),
    "network.options": ("Options", "Opções"),
    "network.members": (
        "The networks whose weighted mean this is, as a search found them",
        "As redes de que esta é a média pesada, como uma procura as encontrou",
    ),
    "network.rule": ("How it was sized", "Como foi dimensionada"),
    # Training
    "training.summary": (
        "{epochs} epochs; the best was epoch {best}, with a validation loss of {loss}.",
        "{epochs} épocas; a melhor foi a {best}, com uma perda de validação de {loss}.",
    ),
    "training.summary_short": ("{epochs} epochs.", "{epochs} épocas."),
    "training.curves": ("Learning curves", "Curvas de aprendizagem"),
    "training.figures": ("The loss at some epochs", "A perda em algumas épocas"),
    "training.best": ("best", "melhor"),
    "training.gradients": ("Gradient norms", "Normas dos gradientes"),
    "training.gradients_note": (
        "How strong the error signal is in each layer. A line that falls towards 0 long before the others has a layer "
        "that no longer learns.",
        "A força do sinal de erro em cada camada. Uma linha que cai para 0 muito antes das outras é de uma camada que "
        "já não aprende.",
    ),
    "training.gradients_table": ("Gradient norms by layer", "Normas dos gradientes por camada"),
    # Problem
    "problem.sentence": (
        "The target {target} is answered as {problem}.",
        "O alvo {target} é respondido como {problem}.",
    ),
    "problem.why": ("Why", "Porquê"),
    "problem.metric": ("Deciding metric", "Métrica decisiva"),
    "problem.classes": ("Classes", "Classes"),
    "problem.declined": ("Problems that declined", "Problemas que recusaram"),
    # Data
    "data.origin": ("Origin", "Origem"),
    "data.rows": ("Rows", "Linhas"),
    "data.columns": ("Columns", "Colunas"),
    "data.reading": ("Read with", "Lido com"),
    "data.notes": ("Notes", "Notas"),
    "data.table": ("Columns of the table", "Colunas da tabela"),
    "data.split": ("How the rows were divided", "Como as linhas foram divididas"),
    "data.split_note": ("{method}; seed {seed}.", "{method}; semente {seed}."),
    # How it was made
    "made.command": ("Command", "Comando"),
    "made.seed": ("Seed", "Semente"),
    "made.started": ("Started", "Início"),
    "made.seconds": ("Time taken", "Duração"),
    "made.seconds_value": ("{seconds} s", "{seconds} s"),
    "made.backend": ("Backend", "Motor"),
    "made.device": ("Device", "Dispositivo"),
    "made.versions": ("Versions", "Versões"),
    "made.decisions": ("Decisions taken on the way", "Decisões tomadas pelo caminho"),
    "made.status": ("Status", "Estado"),
}
