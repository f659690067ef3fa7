"""Every text that people read in the report and on the command line, in English and Portuguese."""

from __future__ import annotations

import math
import re
from functools import cache
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


def told(sentence: str, lang: str = "en") -> str:
    """What a step left in a run, in English, in a language; as it is where ``SENTENCES`` does not know it."""
    if language_index(lang) == 0:
        return sentence
    for pattern, portuguese in _patterns():
        if found := pattern.fullmatch(sentence):
            return portuguese.format(**{name: _place(name, part, lang) for name, part in found.groupdict().items()})
    parts = sentence.split("; ")
    return "; ".join(told(part, lang) for part in parts) if len(parts) > 1 else sentence


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return [
        (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(english)), re.DOTALL), portuguese)
        for english, portuguese in SENTENCES.items()
    ]


def _place(name: str, part: str, lang: str) -> str:
    """What stands in a place of a sentence: places called ``what`` hold a sentence again, others a number or a name."""
    if name.startswith("what"):
        return told(part, lang)
    return localised(part, lang) if NUMBER.fullmatch(part) else part


NUMBER = re.compile(r"-?[0-9][0-9,]*(\.[0-9]+)?%?")


def localised(said: str, lang: str) -> str:
    """A text of a language with its numbers in the marks of that: Portuguese groups with spaces and has a decimal comma."""

    def marked(number: re.Match[str]) -> str:
        found = number[0]
        end = "," if found.endswith(",") else ""
        return found.removesuffix(",").translate(str.maketrans(",.", "\u00a0,")).replace("%", "\u00a0%") + end

    return NUMBER.sub(marked, said) if lang == "pt" else said


def number(value: Any, lang: str = "en") -> str:
    """A number for people: three digits that count, thousands grouped; an en dash where there is none."""
    if value is None or isinstance(value, float) and math.isnan(value):
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    size = abs(value)
    if math.isinf(value):
        written = "∞" if value > 0 else "−∞"
    elif isinstance(value, int):
        written = f"{value:,}"
    elif size == 0:
        written = "0"
    elif size >= 1e7 or size < 1e-4:
        written = f"{value:.2e}"
    elif size >= 999.5:
        written = f"{value:,.0f}"
    elif 0.99 < size < 1:
        # Rounded to three digits, 0.9996 would say that nothing is wrong.
        written = f"{value:.4f}"
    else:
        written = f"{value:#.3g}".rstrip(".")
    return _local(written if "e" in written else written.replace("-", "−"), lang)


def short_number(value: Any, lang: str = "en") -> str:
    """Like ``number``, without zeros at the end: for axes and settings."""
    if not isinstance(value, float) or not math.isfinite(value):
        return number(value, lang)
    if value.is_integer() and abs(value) < 1e7:
        return number(int(value), lang)
    written = f"{value:.3g}" if abs(value) < 999.5 or abs(value) >= 1e7 else f"{value:,.0f}"
    written = written if "e" in written else written.replace("-", "−")
    return _local(written, lang)


def _local(written: str, lang: str) -> str:
    """A number in the marks of a language: Portuguese has a decimal comma and groups with spaces."""
    return written.translate(str.maketrans(",.", "\u00a0,")) if lang == "pt" else written


def percent(share: float | None, lang: str = "en", places: int = 1) -> str:
    """A share of one as a percentage."""
    if share is None or math.isnan(share):
        return "–"
    written = f"{share:.{places}%}"
    return written.replace(".", ",").replace("%", "\u00a0%") if lang == "pt" else written


MESSAGES: dict[str, tuple[str, str]] = {
    # The page
    "page.title": ("{name}: report", "{name}: relatório"),
    "page.kind": ("Training report", "Relatório de treino"),
    "page.skip": ("Skip to the verdict", "Saltar para o veredicto"),
    "page.contents": ("Contents", "Conteúdo"),
    "page.asks": ("Predicting {target} from {inputs} columns", "Prever {target} a partir de {inputs} colunas"),
    "page.asks_one": ("Predicting {target} from one column", "Prever {target} a partir de uma coluna"),
    "asks.forecasting": ("Forecasting {target}", "Prever os próximos valores de {target}"),
    "page.asks_pictures": ("Predicting {target} from pictures", "Prever {target} a partir de imagens"),
    "learns.embedding": ("What the data have in common", "O que os dados têm em comum"),
    "learns.clustering": ("Which rows belong together", "Que linhas pertencem juntas"),
    "learns.topics": ("What the documents are about", "De que tratam os documentos"),
    "learns.anomaly": ("What in the data is unlike the rest", "O que nos dados é diferente do resto"),
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
    "section.champion": ("Champion and challenger", "Campeão e desafiante"),
    "section.scores": ("Scores", "Resultados"),
    "section.classes": ("Where it is right and wrong", "Onde acerta e onde erra"),
    "section.values": ("Where it is right and wrong", "Onde acerta e onde erra"),
    "section.findings": ("What was found", "O que se encontrou"),
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
    # The notebook
    "notebook.title": ("{name}: predicting {target}", "{name}: prever {target}"),
    "notebook.lead": (
        "A network from the data to its answers, step by step: what it learns from, what is asked, how the network is built and "
        "trained, and how good it is on rows that it has never seen. The network is a `{network}` with {parameters} parameters; "
        "its code is all here, in plain Keras, and is yours to change.",
        "Uma rede, dos dados às respostas, passo a passo: com que aprende, o que se pergunta, como a rede é construída e treinada, "
        "e quão boa é em linhas que nunca viu. A rede é uma `{network}` com {parameters} parâmetros; todo o seu código está aqui, "
        "em Keras simples, e é seu para mudar.",
    ),
    "notebook.how": (
        "Install what it needs with `pip install -r requirements.txt`, then run the cells from top to bottom. `SOURCE` is the "
        "table or folder that was learnt from, `NEW` what is answered at the end.",
        "Instale o que é preciso com `pip install -r requirements.txt` e corra as células de cima para baixo. `SOURCE` é a tabela "
        "ou pasta com que se aprendeu, `NEW` aquilo a que se responde no fim.",
    ),
    "notebook.data": ("The data", "Os dados"),
    "notebook.data_table": (
        "The table has {rows} rows, and {columns} columns that the network sees. A network computes with numbers: each number is "
        "taken in units of its spread around its median, each name becomes the place that it has in a list. What follows does "
        "that; the figures in it were learnt from the training rows alone.",
        "A tabela tem {rows} linhas, e {columns} colunas que a rede vê. Uma rede calcula com números: cada número é tomado em "
        "unidades da sua dispersão à volta da mediana, cada nome passa a ser o lugar que tem numa lista. É o que faz o que se "
        "segue; os números que aí estão foram aprendidos só com as linhas de treino.",
    ),
    "notebook.data_pictures": (
        "There are {rows} pictures. They are brought to one size; a network sees each as numbers from 0 to 255.",
        "Há {rows} imagens. São postas todas no mesmo tamanho; uma rede vê cada uma como números de 0 a 255.",
    ),
    "notebook.data_series": (
        "There are {rows} series. Gaps are filled, and the values are taken in units of their spread around their median.",
        "Há {rows} séries. As falhas são preenchidas, e os valores são tomados em unidades da sua dispersão à volta da mediana.",
    ),
    "notebook.aside": ("Left aside are:", "Ficam de lado:"),
    "notebook.target": ("This is what is to be predicted, `{target}`:", "É isto que se quer prever, `{target}`:"),
    "notebook.inputs": (
        "Before any network, a look: does the target show in single columns? These matter most to the trained network: {columns}.",
        "Antes de qualquer rede, um olhar: vê-se o alvo em colunas isoladas? Estas são as que mais contam para a rede treinada: "
        "{columns}.",
    ),
    "notebook.pictures": ("Some of them:", "Algumas delas:"),
    "notebook.series": ("Some of them:", "Algumas delas:"),
    "notebook.problem": ("The problem", "O problema"),
    "notebook.asked": ("What is asked: {problem}. Why: {reason}.", "O que se pergunta: {problem}. Porquê: {reason}."),
    "notebook.parts": (
        "A network can learn rows by heart. So it learns from some, others say when to stop, and others again judge; these it never "
        "sees before.",
        "Uma rede pode decorar linhas. Por isso aprende com umas, outras dizem quando parar, e outras ainda avaliam; essas nunca as "
        "vê antes.",
    ),
    "notebook.split": (
        "{train} rows are for training, {validation} for validation and {test} for the test. How they were chosen: {method}.",
        "{train} linhas são para treino, {validation} para validação e {test} para teste. Como foram escolhidas: {method}.",
    ),
    "notebook.network": ("The network", "A rede"),
    "notebook.built": (
        "`{network}`: {summary}. It has {parameters} parameters, the numbers that training finds.",
        "`{network}`: {summary}. Tem {parameters} parâmetros, os números que o treino encontra.",
    ),
    "notebook.layers": (
        "It uses layers that Keras does not have. Each says what it does; their code is folded away in most readers.",
        "Usa camadas que o Keras não tem. Cada uma diz o que faz; o seu código aparece dobrado na maioria dos leitores.",
    ),
    "notebook.training": ("Training", "O treino"),
    "notebook.curve": (
        "The loss says how wrong the network is. On the training rows it falls on and on; on the validation rows it turns where "
        "the network begins to learn by heart. The dashed line is the epoch whose weights were kept.",
        "A perda diz quanto a rede se engana. Nas linhas de treino continua a descer; nas de validação muda de rumo onde a rede "
        "começa a decorar. A linha tracejada é a época cujos pesos ficaram.",
    ),
    "notebook.again": (
        "Below, the trained weights are loaded. With `TRAIN_AGAIN = True` the network is trained here and now instead: try another "
        "width, another learning rate, and see what the judgement says.",
        "Abaixo carregam-se os pesos treinados. Com `TRAIN_AGAIN = True` a rede é antes treinada aqui e agora: experimente outra "
        "largura, outra taxa de aprendizagem, e veja o que diz a avaliação.",
    ),
    "notebook.judgement": ("The judgement", "A avaliação"),
    "notebook.decoding": (
        "What the network gives becomes an answer:",
        "O que a rede dá torna-se uma resposta:",
    ),
    "notebook.again_judged": (
        "The same figure for the network in this notebook:",
        "O mesmo número para a rede deste caderno:",
    ),
    "notebook.confusion": (
        "Where is it right, and where wrong? Left: the true class of each test row, and the likeliest class by the network. Right: "
        "of the rows that it gave about the same probability, how many came true; on the dashed line a probability means what it "
        "says.",
        "Onde acerta e onde erra? À esquerda: a classe verdadeira de cada linha de teste, e a classe mais provável segundo a rede. "
        "À direita: das linhas a que deu mais ou menos a mesma probabilidade, quantas se confirmaram; na linha tracejada, uma "
        "probabilidade quer dizer o que diz.",
    ),
    "notebook.scatter": (
        "Where is it right, and where wrong? Left: on the dashed line the prediction is the truth. Right: the errors.",
        "Onde acerta e onde erra? À esquerda: na linha tracejada, a previsão é a verdade. À direita: os erros.",
    ),
    "notebook.answers": ("Answers for new rows", "Respostas para linhas novas"),
    "notebook.new": (
        "`NEW` has the same columns as `SOURCE`; the target may be missing.",
        "`NEW` tem as mesmas colunas que `SOURCE`; o alvo pode faltar.",
    ),
    "notebook.axis_rows": ("Rows", "Linhas"),
    "notebook.axis_share": ("Share of the rows", "Parte das linhas"),
    "notebook.axis_training": ("training", "treino"),
    "notebook.axis_validation": ("validation", "validação"),
    "notebook.axis_true": ("True", "Verdade"),
    "notebook.axis_named": ("Named", "Resposta"),
    "notebook.axis_predicted": ("Predicted", "Previsto"),
    "notebook.axis_mean": ("Probability given", "Probabilidade dada"),
    "notebook.axis_came_true": ("Share that came true", "Parte que se confirmou"),
    "notebook.axis_error": ("True minus predicted", "Verdade menos previsto"),
    # Champion and challenger
    "champion.table": (
        "This network and the champion on the same test rows, with 95 % intervals",
        "Esta rede e o campeão nas mesmas linhas de teste, com intervalos de 95 %",
    ),
    "champion.better": ("The challenger is better.", "O desafiante é melhor."),
    "champion.worse": ("The challenger is worse: keep the champion.", "O desafiante é pior: mantenha o campeão."),
    "champion.even": (
        "Nothing says that the challenger is better: keep the champion.",
        "Nada diz que o desafiante é melhor: mantenha o campeão.",
    ),
    "champion.judged": (
        "{what} On the {rows} test rows, {metric} ({direction}) is {challenger} for this network and {champion} for the "
        "champion {name}: a difference of {difference}.",
        "{what} Nas {rows} linhas de teste, {metric} ({direction}) é {challenger} para esta rede e {champion} para o campeão "
        "{name}: uma diferença de {difference}.",
    ),
    "champion.kept_warm": (
        "Trained from the weights of {name}, {metric} on the validation rows was {warm}, afresh {afresh}: the first was kept.",
        "Treinada a partir dos pesos de {name}, {metric} nas linhas de validação foi {warm}, de raiz {afresh}: ficou a primeira.",
    ),
    "champion.kept_afresh": (
        "Trained from the weights of {name}, {metric} on the validation rows was {warm}, afresh {afresh}: the second was kept.",
        "Treinada a partir dos pesos de {name}, {metric} nas linhas de validação foi {warm}, de raiz {afresh}: ficou a segunda.",
    ),
    "champion.afresh_alone": (
        "It was trained afresh, since its weights cannot be learnt on from those of {name}.",
        "Foi treinada de raiz, pois não se pode continuar a aprender a partir dos pesos de {name}.",
    ),
    # Scores
    "model.constant": ("constant guess", "palpite constante"),
    "model.mean": ("the mean of each column", "a média de cada coluna"),
    "model.principal_components": ("principal components, as many", "componentes principais, outras tantas"),
    "model.k_means": ("k-means", "k-médias"),
    "model.ward": ("Ward", "Ward"),
    "model.hdbscan": ("HDBSCAN", "HDBSCAN"),
    "model.mixture": ("mixture, its parts joined", "mistura, com partes unidas"),
    "model.neighbour_graph": ("graph of neighbours", "grafo de vizinhos"),
    "model.k_means_of_code": ("k-means on the codes", "k-médias sobre os códigos"),
    "model.mixture_of_code": ("mixture on the codes", "mistura sobre os códigos"),
    "model.gaussian_mixture_of_code": ("Gaussian mixture on the codes", "mistura de gaussianas sobre os códigos"),
    "model.neighbour_graph_of_code": ("graph of neighbours of codes", "grafo de vizinhos dos códigos"),
    "model.tf_idf": ("weights of the words themselves", "os pesos das próprias palavras"),
    "model.latent_semantic_analysis": (
        "latent semantic analysis, as long",
        "análise semântica latente, do mesmo tamanho",
    ),
    "model.matrix_factorisation": ("non-negative matrix factorisation", "fatorização de matrizes não negativas"),
    "model.dirichlet_allocation": ("latent Dirichlet allocation", "alocação latente de Dirichlet"),
    "model.panel_of_rows": ("the panel without the network", "o painel sem a rede"),
    "model.rebuilding_error": ("error of the rebuilt row alone", "só o erro da linha reconstruída"),
    "model.neighbours_of_code": ("neighbours by the network alone", "vizinhos só pela rede"),
    "model.sampled_neighbours_of_code": ("neighbours by the network alone", "vizinhos só pela rede"),
    "model.neighbours": ("nearest neighbours", "vizinhos mais próximos"),
    "model.sampled_neighbours": ("neighbours in samples", "vizinhos em amostras"),
    "model.local_outlier_factor": ("local outlier factor", "fator de anomalia local"),
    "model.isolation_forest": ("isolation forest", "floresta de isolamento"),
    "model.one_class_svm": ("one-class support vector machine", "máquina de vetores de suporte de uma classe"),
    "model.gaussian_mixture": ("Gaussian mixture", "mistura de gaussianas"),
    "model.robust_gaussian": ("robust Gaussian", "gaussiana robusta"),
    "model.ecod": ("tails of each column (ECOD)", "caudas de cada coluna (ECOD)"),
    "model.without_pretraining": ("this network without pretraining", "esta rede sem pré-treino"),
    "model.typical_caption": ("the most typical training caption", "a legenda de treino mais típica"),
    "model.nearest_picture": ("the nearest training picture's caption", "a legenda da imagem de treino mais próxima"),
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
    "scores.pretraining": (
        "The network learnt first from {rows} rows without a target. {metric} with that minus without it, on the same test "
        "rows: {difference} ({direction}). {what}",
        "A rede aprendeu primeiro com {rows} linhas sem alvo. {metric} com isso menos sem isso, nas mesmas linhas de teste: "
        "{difference} ({direction}). {what}",
    ),
    "scores.pretraining_better": ("Pretraining gained something.", "O pré-treino trouxe um ganho."),
    "scores.pretraining_worse": ("Pretraining did harm.", "O pré-treino fez pior."),
    "scores.pretraining_even": (
        "That is within noise: it is not known whether pretraining gained anything.",
        "Isso está dentro do ruído: não se sabe se o pré-treino trouxe algum ganho.",
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
    "metric.mase": ("Mean absolute scaled error", "Erro absoluto médio em escala"),
    "metric.wape": ("Absolute error as a share", "Erro absoluto como parte"),
    "metric.mae": ("Mean absolute error", "Erro absoluto médio"),
    "metric.squared_error": ("Squared error of a row", "Erro quadrático de uma linha"),
    "metric.numbers_error": ("of its numbers", "dos seus números"),
    "metric.flags_error": ("of its yes and no", "dos seus sim e não"),
    "metric.levels_error": ("of its categories", "das suas categorias"),
    "metric.counts_error": ("of its words", "das suas palavras"),
    "metric.pixels_error": ("of its pixels", "dos seus píxeis"),
    "metric.precision_at_10": ("Same label among the 10 nearest", "Mesma etiqueta entre os 10 mais próximos"),
    "metric.precision_at_1": ("Same label of the nearest", "Mesma etiqueta do mais próximo"),
    "metric.mutual_information": ("Mutual information of topics and labels", "Informação mútua de temas e etiquetas"),
    "metric.purity": ("Purity of the topics", "Pureza dos temas"),
    "metric.found_again": ("Other half found again", "Outra metade reencontrada"),
    "metric.cider_d": ("CIDEr-D", "CIDEr-D"),
    "metric.bleu_1": ("BLEU-1", "BLEU-1"),
    "metric.bleu_2": ("BLEU-2", "BLEU-2"),
    "metric.bleu_3": ("BLEU-3", "BLEU-3"),
    "metric.bleu_4": ("BLEU-4", "BLEU-4"),
    "metric.rouge_l": ("ROUGE-L", "ROUGE-L"),
    "metric.recall": ("Anomalies found", "Anomalias encontradas"),
    "metric.false_alarm_rate": ("False alarms", "Falsos alarmes"),
    "metric.silhouette": ("Silhouette", "Silhueta"),
    "metric.adjusted_rand": ("Adjusted Rand index", "Índice de Rand ajustado"),
    "metric.normalized_mutual_info": ("Normalized mutual information", "Informação mútua normalizada"),
    "metric.matched_accuracy": ("Accuracy, clusters matched to labels", "Exatidão, grupos ligados a etiquetas"),
    "metric.alarm_rate": ("Alarms", "Alarmes"),
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
    "kind.document": ("document", "documento"),
    "kind.image": ("picture", "imagem"),
    "kind.series": ("series", "série"),
    "kind.captions": ("captions", "legendas"),
    "role.input": ("input", "entrada"),
    "role.target": ("target", "alvo"),
    "role.group": ("group", "grupo"),
    "role.time": ("time", "tempo"),
    "role.key": ("names the series", "dá nome às séries"),
    "role.known": ("known beforehand", "conhecida de antemão"),
    "role.aside": ("set aside", "posta de lado"),
    "part.train": ("training", "treino"),
    "part.validation": ("validation", "validação"),
    "part.test": ("test", "teste"),
    "part.left out": ("left out", "omitidas"),
    "problem.binary": ("two classes", "duas classes"),
    "problem.multiclass": ("several classes", "várias classes"),
    "problem.regression": ("a value", "um valor"),
    "problem.topics": ("what documents are about", "de que tratam os documentos"),
    "problem.anomaly": ("the rows that are unlike the others", "as linhas diferentes das outras"),
    "problem.clustering": ("groups of rows that are alike", "grupos de linhas parecidas"),
    "problem.captioning": ("a text for each picture", "um texto para cada imagem"),
    "problem.forecasting": ("what comes next", "o que vem a seguir"),
    "problem.embedding": ("a short code for each row", "um código curto para cada linha"),
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
    "problem.sentence_without": (
        "No target is predicted; what is learnt is {problem}.",
        "Não se prevê nenhum alvo; o que se aprende é {problem}.",
    ),
    "problem.possible": ("What these data can be used for without a target", "Para que servem estes dados sem um alvo"),
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
    # The server
    "serve.title": ("{target}: {name}", "{target}: {name}"),
    "serve.kind": ("A model answers", "Um modelo responde"),
    "serve.asks": (
        "Fill in what is known of a row; what is left empty counts as missing. The values that stand there are typical "
        "ones, made from the training data.",
        "Preencha o que se sabe de uma linha; o que ficar vazio conta como em falta. Os valores que lá estão são típicos, "
        "feitos a partir dos dados de treino.",
    ),
    "serve.asks_picture": ("Choose a picture.", "Escolha uma imagem."),
    "serve.picture": ("Picture", "Imagem"),
    "serve.form": ("The row", "A linha"),
    "serve.send": ("Predict", "Prever"),
    "serve.again": ("Typical values", "Valores típicos"),
    "serve.answer": ("The answer", "A resposta"),
    "serve.skip": ("Skip to the answer", "Saltar para a resposta"),
    "serve.skip_form": ("Skip to the form", "Saltar para o formulário"),
    "serve.mistake": ("This cannot be answered", "Não se pode responder a isto"),
    "serve.abstained": (
        "The model is not sure enough to give an answer here.",
        "O modelo não tem certeza bastante para responder aqui.",
    ),
    "serve.unknown": ("missing", "em falta"),
    "serve.yes": ("yes", "sim"),
    "serve.no": ("no", "não"),
    "serve.usual": ("usually {low} to {high}", "em geral {low} a {high}"),
    "serve.class": ("Class", "Classe"),
    "serve.probability": ("Probability", "Probabilidade"),
    "serve.in_set": ("In the set", "No conjunto"),
    "serve.set": (
        "The set holds the truth of {level} of new rows: here {classes}.",
        "O conjunto contém a verdade de {level} das linhas novas: aqui {classes}.",
    ),
    "serve.interval": (
        "The interval holds the truth of {level} of new rows: here {low} to {high}.",
        "O intervalo contém a verdade de {level} das linhas novas: aqui de {low} a {high}.",
    ),
    "serve.reasons": ("What the answer rests on", "Em que assenta a resposta"),
    "serve.reasons_class": (
        "Each column in turn was given its typical value, all others kept; the change is how much of the probability of "
        "{prediction} the value that stands there brings, in percentage points. A column at its typical value brings nothing, "
        "and columns that say the same share what they bring.",
        "Deu-se a cada coluna, uma de cada vez, o seu valor típico, mantendo as outras; a diferença é quanto da probabilidade "
        "de {prediction} o valor que lá está traz, em pontos percentuais. Uma coluna com o valor típico não traz nada, e "
        "colunas que dizem o mesmo partilham o que trazem.",
    ),
    "serve.reasons_value": (
        "Each column in turn was given its typical value, all others kept; the change is how much the value that stands there "
        "adds to the answer. A column at its typical value adds nothing, and columns that say the same share what they add.",
        "Deu-se a cada coluna, uma de cada vez, o seu valor típico, mantendo as outras; a diferença é quanto o valor que lá "
        "está acrescenta à resposta. Uma coluna com o valor típico não acrescenta nada, e colunas que dizem o mesmo partilham "
        "o que acrescentam.",
    ),
    "serve.no_reasons": (
        "Every column has its typical value or changes nothing.",
        "Todas as colunas têm o valor típico ou não mudam nada.",
    ),
    "serve.column": ("Column", "Coluna"),
    "serve.value": ("Value", "Valor"),
    "serve.typical": ("Typical", "Típico"),
    "serve.change": ("Change", "Diferença"),
    "serve.points": ("{points} points", "{points} pontos"),
    "serve.foot": (
        "The run {name}, served by nervura {version}. For programs: {links}. What is filled in stands in the address of the page.",
        "A execução {name}, servida pelo nervura {version}. Para programas: {links}. O que se preenche fica no endereço da "
        "página.",
    ),
    "serve.foot_pictures": (
        "The run {name}, served by nervura {version}. For programs: {links}.",
        "A execução {name}, servida pelo nervura {version}. Para programas: {links}.",
    ),
    "serve.no_page": ("There is nothing at {path}.", "Não há nada em {path}."),
    "serve.no_method": (
        "{path} does not take {method}. It takes {allowed}.",
        "{path} não aceita {method}. Aceita {allowed}.",
    ),
    "serve.media": (
        "Rows come as {known}, told by Content-Type; given was {given}.",
        "As linhas vêm como {known}, o que se diz em Content-Type; foi dado {given}.",
    ),
    "serve.media_missing": (
        "This server does not read {given}: it needs the package '{package}'. Install 'nervura[{extra}]' there, or send {known}.",
        "Este servidor não lê {given}: precisa do pacote '{package}'. Instale lá 'nervura[{extra}]', ou envie {known}.",
    ),
    "serve.no_media": ("no media type", "nenhum tipo de conteúdo"),
    "serve.packed": (
        "Bodies come as they are; given was Content-Encoding: {given}.",
        "O corpo vem tal como é; foi dado Content-Encoding: {given}.",
    ),
    "serve.large": (
        "A request has at most {most} MB. Send fewer rows at a time.",
        "Um pedido tem no máximo {most} MB. Envie menos linhas de cada vez.",
    ),
    "serve.many_rows": (
        "A request has at most {most:,} rows; given were {rows:,}. Send fewer at a time.",
        "Um pedido tem no máximo {most} linhas; foram dadas {rows}. Envie menos de cada vez.",
    ),
    "serve.unfolds": (
        "A table has at most {most} MB once it is unpacked. Send fewer rows at a time.",
        "Uma tabela tem no máximo {most} MB depois de desempacotada. Envie menos linhas de cada vez.",
    ),
    "serve.slow_body": (
        "A request arrives within {seconds:g} seconds; this one did not.",
        "Um pedido chega em {seconds:g} segundos; este não chegou.",
    ),
    "serve.slow": (
        "An answer takes at most {seconds:g} seconds; this one took longer and was stopped. Send fewer rows at a time.",
        "Uma resposta leva no máximo {seconds:g} segundos; esta levou mais e foi parada. Envie menos linhas de cada vez.",
    ),
    "serve.failed": (
        "The server failed at this request. Its log says more.",
        "O servidor falhou neste pedido. O seu registo diz mais.",
    ),
    "serve.not_ready": ("The model does not answer: {reason}.", "O modelo não responde: {reason}."),
    "serve.no_json": ("The body is no JSON: {reason}.", "O corpo não é JSON: {reason}."),
    "serve.no_rows_in_json": (
        "A row is an object of column and value; several are a list of such objects.",
        "Uma linha é um objeto de coluna e valor; várias são uma lista de tais objetos.",
    ),
    "serve.no_rows": ("Rows are needed; none was given.", "São precisas linhas; não foi dada nenhuma."),
    "serve.no_utf_8": (
        "CSV comes in UTF-8; the byte at place {place} is not.",
        "O CSV vem em UTF-8; o byte na posição {place} não está.",
    ),
    "serve.no_csv": ("The body is no CSV: {reason}.", "O corpo não é CSV: {reason}."),
    "serve.cells": (
        "Every line of CSV has a value for each name of the header; row {row} has {cells}, and there are {names} names.",
        "Cada linha de CSV tem um valor para cada nome do cabeçalho; a linha {row} tem {cells}, e há {names} nomes.",
    ),
    "serve.no_parquet": ("The body is no Parquet: {reason}.", "O corpo não é Parquet: {reason}."),
    "serve.no_form": ("The body is no form of files: {reason}.", "O corpo não é um formulário de ficheiros: {reason}."),
    "serve.wrong_columns": ("The columns are not those of the run.", "As colunas não são as da execução."),
    "serve.wrong_values": ("Some values cannot be read.", "Alguns valores não podem ser lidos."),
    "serve.missing_column": (
        "The column '{column}' is missing; a value that is not known is null, in CSV empty.",
        "Falta a coluna '{column}'; um valor desconhecido é null, em CSV vazio.",
    ),
    "serve.unknown_column": ("There is no column '{column}'. {hint}", "Não há nenhuma coluna '{column}'. {hint}"),
    "serve.twice": ("The column '{column}' is there twice.", "A coluna '{column}' está lá duas vezes."),
    "serve.wrong.number": (
        "'{column}' holds numbers; given was {given}.",
        "'{column}' contém números; foi dado {given}.",
    ),
    "serve.wrong.number_as_text": (
        "'{column}' holds numbers; given was the text {given}. Write a number without quotes.",
        "'{column}' contém números; foi dado o texto {given}. Escreva um número sem aspas.",
    ),
    "serve.wrong.too_large": (
        "'{column}' holds numbers up to 1e300; given was a larger one.",
        "'{column}' contém números até 1e300; foi dado um maior.",
    ),
    "serve.wrong.boolean": (
        "'{column}' holds true or false{words}; given was {given}.",
        "'{column}' contém true ou false{words}; foi dado {given}.",
    ),
    "serve.wrong.datetime": (
        "'{column}' holds dates such as 2026-01-31 or 2026-01-31T12:00:00; given was {given}.",
        "'{column}' contém datas como 2026-01-31 ou 2026-01-31T12:00:00; foi dado {given}.",
    ),
    "serve.wrong.category": (
        "'{column}' holds names, as text; given was {given}.",
        "'{column}' contém nomes, como texto; foi dado {given}.",
    ),
    "serve.wrong.picture": (
        "A picture is needed; what was given cannot be read as one.",
        "É precisa uma imagem; o que foi dado não pode ser lido como uma.",
    ),
    "serve.wrong.large_picture": (
        "A picture has at most 50 million pixels; given was a larger one.",
        "Uma imagem tem no máximo 50 milhões de píxeis; foi dada uma maior.",
    ),
    "serve.new_levels": (
        "'{column}' has levels that were not in training: {levels}. They are read as any other level.",
        "'{column}' tem níveis que não estavam no treino: {levels}. São lidos como qualquer outro nível.",
    ),
}

SENTENCES: dict[str, str] = {
    # Why a problem was chosen, and why others were not
    "asked for by name": "pedido pelo nome",
    "no target was named": "não foi indicado nenhum alvo",
    "rows that are unlike the others can be found": "podem encontrar-se as linhas diferentes das outras",
    "No validation row is labelled as an anomaly: half of the test rows choose between the models in place of them, and the "
    "verdict rests on the other half.": "Nenhuma linha de validação está etiquetada como anomalia: metade das linhas de teste "
    "escolhe entre os modelos em vez delas, e o veredicto assenta na outra metade.",
    "there is no column of documents": "não há nenhuma coluna de documentos",
    "documents can be told by what they are about": "os documentos podem ser contados por aquilo de que tratam",
    "documents can be told by a short code each": "cada documento pode ser contado por um código curto",
    "topics are those of the documents alone": "os temas são os dos documentos apenas",
    "there is no column to look at": "não há coluna para ver",
    "rows that are alike can be grouped": "podem agrupar-se as linhas parecidas",
    "there is no column to group rows by": "não há coluna por que agrupar linhas",
    "Of {count} training rows {some}, taken evenly, were grouped; the others are placed as new rows are.": "De {count} linhas "
    "de treino agruparam-se {some}, tiradas a espaços iguais; as outras são colocadas como as linhas novas.",
    "{count} rows are not learnt from, because of their labels, and only judge.": "{count} linhas não servem para aprender, "
    "por causa das etiquetas, e só julgam.",
    "{count} rows are not learnt from, because of their labels, and are left out.": "{count} linhas ficam de fora, por "
    "causa das etiquetas.",
    "pictures can be told by a short code each": "cada imagem pode ser contada por um código curto",
    "{count} columns can be told by fewer numbers, as far as they have something in common": (
        "{count} colunas podem ser contadas por menos números, na medida em que têm algo em comum"
    ),
    "there is no column to rebuild": "não há nenhuma coluna para reconstruir",
    "one column alone has nothing in common with others": "uma coluna sozinha não tem nada em comum com outras",
    "By rule a code of {length} and hidden layers of {first}, {second} and {third}, for {count} values a row.": (
        "Por regra, um código de {length} e camadas escondidas de {first}, {second} e {third}, para {count} valores por linha."
    ),
    "By rule hidden layers of {first}, {second} and {third}, for {count} values a row.": (
        "Por regra, camadas escondidas de {first}, {second} e {third}, para {count} valores por linha."
    ),
    "By rule a code of {length}, for {count} values a row.": "Por regra, um código de {length}, para {count} valores por linha.",
    "Of {count} rows for {part} every {step}th takes part in the judgement.": (
        "De {count} linhas de {part}, uma em cada {step} toma parte na avaliação."
    ),
    "By rule {count} hidden units, for {values} values a row.": (
        "Por regra, {count} unidades escondidas, para {values} valores por linha."
    ),
    "A code of {length} numbers, {active} of them other than zero. {what}": (
        "Um código de {length} números, {active} deles diferentes de zero. {what}"
    ),
    "A code of {length} numbers, {active} of them other than zero.": (
        "Um código de {length} números, {active} deles diferentes de zero."
    ),
    "a restricted Boltzmann machine, learnt by contrastive divergence": (
        "uma máquina de Boltzmann restrita, aprendida por divergência contrastiva"
    ),
    "a deep network pretrained by a stack of restricted Boltzmann machines": (
        "uma rede profunda pré-treinada por uma pilha de máquinas de Boltzmann restritas"
    ),
    "an autoencoder that rebuilds pictures from moved ones": (
        "um autocodificador que reconstrói imagens a partir de imagens deslocadas"
    ),
    "an autoencoder that rebuilds rows of which a part is hidden": (
        "um autocodificador que reconstrói linhas de que uma parte está escondida"
    ),
    "an autoencoder with a long code, mostly zeros": "um autocodificador com um código longo, quase só de zeros",
    "an autoencoder whose codes are drawn from near the standard normal": (
        "um autocodificador cujos códigos são tirados de perto da normal padrão"
    ),
    "a deep autoencoder: rows through a short code and back": (
        "um autocodificador profundo: linhas por um código curto e de volta"
    ),
    "the target has {count} captions for {pictures} pictures": "o alvo tem {count} legendas para {pictures} imagens",
    "the captions have no words": "as legendas não têm palavras",
    "the target is of the kind {what}": "o alvo é do tipo {what}",
    "captions": "legendas",
    "number": "número",
    "category": "categoria",
    "boolean": "sim ou não",
    "datetime": "data e hora",
    "text": "texto",
    "sees with convolutions, writes with a long short-term memory": (
        "vê com convoluções, escreve com uma memória de curto prazo longa (LSTM)"
    ),
    "Pictures are mirrored in training: the captions hardly tell left from right.": (
        "As imagens são espelhadas no treino: as legendas quase não distinguem a esquerda da direita."
    ),
    "Pictures are not mirrored in training: the captions tell left from right.": (
        "As imagens não são espelhadas no treino: as legendas distinguem a esquerda da direita."
    ),
    "Captions are left out whose pictures are not there: {names} and {count} more.": (
        "Ficam de fora legendas cujas imagens não existem: {names} e mais {count}."
    ),
    "Captions are left out whose pictures are not there: {names}.": (
        "Ficam de fora legendas cujas imagens não existem: {names}."
    ),
    "Pictures that have no caption: {names} and {count} more.": "Imagens que não têm legenda: {names} e mais {count}.",
    "Pictures that have no caption: {names}.": "Imagens que não têm legenda: {names}.",
    # Series in time
    "asked for by name: {count} series at steps of {step}, {horizon} steps ahead": (
        "pedido pelo nome: {count} séries em passos de {step}, {horizon} passos à frente"
    ),
    "asked for by name: one series at steps of {step}, {horizon} steps ahead": (
        "pedido pelo nome: uma série em passos de {step}, {horizon} passos à frente"
    ),
    "The times are those of '{name}'.": "Os tempos são os de '{name}'.",
    "There is no column of times; rows follow in order.": "Não há coluna de tempos; as linhas seguem-se por ordem.",
    "No target was named: each of the {count} columns of numbers is a series.": (
        "Nenhum alvo foi indicado: cada uma das {count} colunas de números é uma série."
    ),
    "Each moment stands several times; the series are named by {names}.": (
        "Cada momento aparece várias vezes; as séries têm por nome {names}."
    ),
    "{count} rows have no time and are left out.": "{count} linhas não têm tempo e ficam de fora.",
    "{count} series have no value and are left out.": "{count} séries não têm nenhum valor e ficam de fora.",
    "{count} of {steps} steps have no value; they are filled along straight lines, and not judged.": (
        "{count} de {steps} passos não têm valor; são preenchidos em linha reta, e não são avaliados."
    ),
    "{count} of {all} series have fewer than {steps} steps to learn from; they are forecast by what the others teach.": (
        "{count} de {all} séries têm menos de {steps} passos com que aprender; são previstas pelo que as outras ensinam."
    ),
    "Logarithms are taken: the error of a ridge regression on validation windows is {share} times that without them.": (
        "Tomam-se logaritmos: o erro de uma regressão ridge nas janelas de validação é {share} vezes o que é sem eles."
    ),
    "Logarithms are not taken: the error of a ridge regression on validation windows is {share} times that without them.": (
        "Não se tomam logaritmos: o erro de uma regressão ridge nas janelas de validação é {share} vezes o que é sem eles."
    ),
    "the origins roll over the end of the series: from {test} on they are the test, from {held} on the validation": (
        "as origens percorrem o fim das séries: a partir de {test} são o teste, a partir de {held} a validação"
    ),
    "it is no part of the series": "não faz parte das séries",
    "{count} steps before, {ahead} after": "{count} passos antes, {ahead} depois",
    "Of the series {count}, spread evenly over them, take part in the comparison.": (
        "Das séries, {count}, espalhadas por igual, tomam parte na comparação."
    ),
    "Exponential smoothing did not fit into the time budget.": "O alisamento exponencial não coube no tempo disponível.",
    "Exponential smoothing was left out: it needs the package '{package}'. Write: {command}": (
        "O alisamento exponencial ficou de fora: precisa do pacote '{package}'. Escreva: {command}"
    ),
    "{name} did not fit into the time budget.": "{name} não coube no tempo disponível.",
    "a linear map from the window to the steps ahead, by ridge regression": (
        "uma aplicação linear da janela aos passos à frente, por regressão ridge"
    ),
    "a linear map of the window, and dense blocks that learn what it leaves: TiDE": (
        "uma aplicação linear da janela, e blocos densos que aprendem o que ela deixa: TiDE"
    ),
    "as in the run {name}": "como na execução {name}",
    "Which rows the run {name} learnt from is not known any more; these are taken to be others. If some are the same, it has an "
    "advantage.": (
        "Já não se sabe com que linhas a execução {name} aprendeu; supõe-se que estas são outras. Se algumas forem as mesmas, "
        "ela leva vantagem."
    ),
    "None of the rows is one that the run {name} learnt from.": (
        "Nenhuma das linhas é uma daquelas com que a execução {name} aprendeu."
    ),
    "{share} of the rows equal one that the run {name} learnt from, about as many as of these equal each other ({usual}): that "
    "is taken for chance, and all rows can judge.": (
        "{share} das linhas são iguais a uma com que a execução {name} aprendeu, mais ou menos tantas como as que entre estas "
        "são iguais umas às outras ({usual}): isso toma-se por acaso, e todas as linhas podem julgar."
    ),
    "{count} of {rows} rows equal one that the run {name} learnt from: they are learnt from again and judge nothing.": (
        "{count} de {rows} linhas são iguais a uma com que a execução {name} aprendeu: aprende-se de novo com elas, e não julgam "
        "nada."
    ),
    "Columns that the run {name} did not know are not read: {names} and {count} more.": (
        "Não se leem colunas que a execução {name} não conhecia: {names} e mais {count}."
    ),
    "Columns that the run {name} did not know are not read: {names}.": (
        "Não se leem colunas que a execução {name} não conhecia: {names}."
    ),
    "the target has two values: {first} and {second}": "o alvo tem dois valores: {first} e {second}",
    "the target has {count} different values, and yes-or-no questions have two": (
        "o alvo tem {count} valores diferentes, e as perguntas de sim ou não têm dois"
    ),
    "the target has {count} different values, and this question needs three or more": (
        "o alvo tem {count} valores diferentes, e esta pergunta precisa de três ou mais"
    ),
    "the target has {count} different values in {rows} rows, too many for classes": (
        "o alvo tem {count} valores diferentes em {rows} linhas, demasiados para classes"
    ),
    "the target has {count} different whole numbers {what}: a quantity rather than names": (
        "o alvo tem {count} números inteiros diferentes {what}: uma quantidade e não nomes"
    ),
    "in steps of {step}": "em passos de {step}",
    "that follow each other": "seguidos",
    "from {low} to {high}": "de {low} a {high}",
    "the target has {count} different whole numbers": "o alvo tem {count} números inteiros diferentes",
    "the target has {count} different names": "o alvo tem {count} nomes diferentes",
    "the target has only {count} different values": "o alvo tem apenas {count} valores diferentes",
    "the target is a quantity with {count} different values": "o alvo é uma quantidade com {count} valores diferentes",
    "the target is a number with {count} different values": "o alvo é um número com {count} valores diferentes",
    "the target is a moment in time": "o alvo é um momento no tempo",
    "the target is a category, not a number": "o alvo é uma categoria, não um número",
    "the target is a boolean, not a number": "o alvo é sim ou não, não um número",
    "the target is a datetime, not a number": "o alvo é uma data, não um número",
    "the target is a text, not a number": "o alvo é um texto, não um número",
    # Why a column is set aside, and warnings about columns
    "dropped by you": "posta de lado por si",
    "every value is missing": "todos os valores estão em falta",
    "it has the same value in every row": "tem o mesmo valor em todas as linhas",
    "it has the same value in every row ({value})": "tem o mesmo valor em todas as linhas ({value})",
    "it names the rows: {count} different values in {rows} rows": (
        "dá nome às linhas: {count} valores diferentes em {rows} linhas"
    ),
    "it numbers the rows, from {low} to {high}": "numera as linhas, de {low} a {high}",
    "its name says that it names the rows, and every value is different": (
        "o seu nome diz que dá nome às linhas, e todos os valores são diferentes"
    ),
    "it has the same values as the column '{name}'": "tem os mesmos valores que a coluna '{name}'",
    "it has the same values as the target '{name}'": "tem os mesmos valores que o alvo '{name}'",
    "it holds {kind} values, which are not one value per row": (
        "contém valores do tipo {kind}, que não são um valor por linha"
    ),
    "beside pictures no other columns are read": "ao lado de imagens não se leem outras colunas",
    "it names the pictures": "dá nome às imagens",
    "it names the documents": "dá nome aos documentos",
    "{count} of {all} files are empty or no text and are left out: {names}.": "{count} de {all} ficheiros estão vazios ou não "
    "são texto e ficam de fora: {names}.",
    "{count} of {all} files are empty or no text and is left out: {names}.": "{count} de {all} ficheiros está vazio ou não "
    "é texto e fica de fora: {names}.",
    "Files that are not UTF-8 are read by what their bytes look like: {each}.": "Os ficheiros que não são UTF-8 são lidos "
    "conforme o que os seus bytes parecem ser: {each}.",
    "All documents are below '{folder}', so the sub-folders of that are the classes.": "Todos os documentos estão abaixo de "
    "'{folder}', por isso as subpastas dessa são as classes.",
    "These folders hold no document and are no classes: {names}.": "Estas pastas não têm nenhum documento e não são classes: "
    "{names}.",
    "it says to which part of the split a row belongs": "diz a que parte da divisão pertence a linha",
    "{share} of the values are not {what} ({shown})": "{share} dos valores não são {what} ({shown})",
    "numbers": "números",
    "dates": "datas",
    "values": "valores",
    "they count as missing": "contam como em falta",
    "some infinite values": "alguns valores infinitos",
    "{count} infinite values": "{count} valores infinitos",
    "{share} of the values are missing": "{share} dos valores estão em falta",
    "the dates can be read with the day or the month first": "as datas podem ler-se com o dia ou com o mês primeiro",
    "read with the day first": "lidas com o dia primeiro",
    "read with the month first": "lidas com o mês primeiro",
    "the mark '{mark}' can stand for thousands or for decimals": (
        "o sinal '{mark}' pode separar milhares ou casas decimais"
    ),
    "read as thousands": "lido como separador de milhares",
    "read as decimals": "lido como separador decimal",
    "{share} of the values are numbers and the others are not (such as '{word}'), so all are read as categories": (
        "{share} dos valores são números e os outros não (como '{word}'), por isso todos são lidos como categorias"
    ),
    "with --column '{name}=number' the others count as missing": (
        "com --column '{name}=number' os outros contam como em falta"
    ),
    "this column alone gives the target away (area under the ROC curve {score})": (
        "esta coluna, só por si, denuncia o alvo (área sob a curva ROC {score})"
    ),
    "this column alone gives the target away (accuracy {score})": (
        "esta coluna, só por si, denuncia o alvo (exatidão {score})"
    ),
    "this column alone gives the target away (R² {score})": "esta coluna, só por si, denuncia o alvo (R² {score})",
    "if it is only known after '{name}', set it aside with --drop": (
        "se só se conhece depois de '{name}', ponha-a de lado com --drop"
    ),
    "with more than {count} columns none was tested for giving the target away on its own": (
        "com mais de {count} colunas não se verificou se alguma, só por si, denuncia o alvo"
    ),
    # The split
    "{test} for the test, {share} of the rest for validation: {what}": (
        "{test} para teste, {share} do resto para validação: {what}"
    ),
    "{test} for the test, {share} of the rest for validation of the training rows {what}": (
        "{test} para teste, {share} do resto para validação, das linhas de treino {what}"
    ),
    "{share} for validation of the training rows {what}": "{share} para validação, das linhas de treino {what}",
    "{share} for validation: {what}": "{share} para validação: {what}",
    "drawn at random": "tiradas à sorte",
    "drawn at random within each class": "tiradas à sorte dentro de cada classe",
    "rows drawn at random": "linhas tiradas à sorte",
    "rows drawn at random within each class": "linhas tiradas à sorte dentro de cada classe",
    "the latest rows by '{time}' are the test, the next latest the validation": (
        "as linhas mais recentes por '{time}' são o teste, as seguintes mais recentes a validação"
    ),
    "rows of one '{group}' stay together, at the time of their last": (
        "linhas do mesmo '{group}' ficam juntas, no momento da última"
    ),
    "groups of '{group}', kept whole, drawn at random, the draw nearest to the classes' shares": (
        "grupos de '{group}', inteiros, tirados à sorte, com o sorteio mais próximo das proporções das classes"
    ),
    "groups of '{group}', kept whole, drawn at random": "grupos de '{group}', inteiros, tirados à sorte",
    "validation and test as in the data": "validação e teste como nos dados",
    "validation as in the data": "validação como nos dados",
    "test as in the data": "teste como nos dados",
    "{count} rows have no known target and serve for pretraining alone.": (
        "{count} linhas não têm alvo conhecido e servem só para o pré-treino."
    ),
    "{count} row has no known target and serves for pretraining alone.": (
        "{count} linha não tem alvo conhecido e serve só para o pré-treino."
    ),
    "{count} rows have no known target and are left out.": ("{count} linhas não têm alvo conhecido e ficam de fora."),
    "{count} of the test rows have no known target and are left out.": (
        "{count} das linhas de teste não têm alvo conhecido e ficam de fora."
    ),
    "{count} of the test rows have a class that was not in training, such as '{name}', and are left out.": (
        "{count} das linhas de teste têm uma classe que não havia no treino, como '{name}', e ficam de fora."
    ),
    "{count} of the test pictures cannot be read and are left out.": (
        "{count} das imagens de teste não se conseguem ler e ficam de fora."
    ),
    "{count} rows have no known '{name}' and are used for training.": (
        "{count} linhas não têm '{name}' conhecido e servem para o treino."
    ),
    "{share} of the test rows have the inputs of a row that is learnt from; so equal rows are split like other rows, and "
    "the validation rows are like the test rows.": (
        "{share} das linhas de teste têm as entradas de uma linha com que se aprende; por isso linhas iguais são divididas "
        "como as outras, e as linhas de validação são como as de teste."
    ),
    "1 class has one row alone: it is used for training, and nothing can judge how well it is learnt.": (
        "1 classe tem uma só linha: serve para o treino, e nada pode julgar quão bem é aprendida."
    ),
    "{count} classes have one row alone: it is used for training, and nothing can judge how well it is learnt.": (
        "{count} classes têm uma só linha: serve para o treino, e nada pode julgar quão bem é aprendida."
    ),
    "{count} rows have inputs that occur more than once ({groups} group of identical rows); equal rows stay on one side.": (
        "{count} linhas têm entradas que ocorrem mais de uma vez ({groups} grupo de linhas idênticas); linhas iguais ficam "
        "do mesmo lado."
    ),
    "{count} rows have inputs that occur more than once ({groups} groups of identical rows); equal rows stay on one side.": (
        "{count} linhas têm entradas que ocorrem mais de uma vez ({groups} grupos de linhas idênticas); linhas iguais ficam "
        "do mesmo lado."
    ),
    "{count} rows of {classes} class that first occur after the training rows are left out.": (
        "{count} linhas de {classes} classe que só ocorre depois das linhas de treino ficam de fora."
    ),
    "{count} rows of {classes} classes that first occur after the training rows are left out.": (
        "{count} linhas de {classes} classes que só ocorrem depois das linhas de treino ficam de fora."
    ),
    # The network and its training
    "{activation}, {share} dropped in training": "{activation}, {share} desligados no treino",
    "{share} dropped in training": "{share} desligados no treino",
    "{activation}, with bias": "{activation}, com viés",
    "with bias": "com viés",
    "many networks in one, for tables: shared weights, bagged (the default)": (
        "muitas redes numa só, para tabelas: pesos partilhados, com bagging (a escolha habitual)"
    ),
    "a deep network for tables: quantile bins, embeddings, dropout (the default)": (
        "uma rede profunda para tabelas: intervalos por quantis, vetores aprendidos, dropout"
    ),
    "one hidden layer, its size by rule: the mean of inputs and outputs": (
        "uma camada escondida, dimensionada por regra: a média de entradas e saídas"
    ),
    "no hidden layer: a linear model": "nenhuma camada escondida: um modelo linear",
    "an autoencoder of documents that learns which halves of documents belong together": "um autocodificador de documentos que "
    "aprende que metades de documentos pertencem juntas",
    "a plain network for tables, tuned in every detail": "uma rede simples para tabelas, afinada em cada pormenor",
    "the fastest known recipe for small pictures (their default)": (
        "a receita mais rápida que se conhece para imagens pequenas (a sua escolha habitual)"
    ),
    "the four steps for pictures: convolution, pooling, flattening, full connection": (
        "os quatro passos para imagens: convolução, agrupamento, achatamento, ligação completa"
    ),
    "deep residual networks for pictures: ResNet-20 for small ones to ResNet-152": (
        "redes residuais profundas para imagens: de ResNet-20, para as pequenas, a ResNet-152"
    ),
    "thousands of fixed kernels over a series, and a ridge regression on how often each finds its pattern": (
        "milhares de filtros fixos sobre uma série, e uma regressão ridge sobre quantas vezes cada um encontra o seu padrão"
    ),
    "three convolutions along time and the mean over it: the fully convolutional network for series": (
        "três convoluções ao longo do tempo e a média sobre ele: a rede totalmente convolucional para séries"
    ),
    "a simple recurrent network: one state, carried from step to step": (
        "uma rede recorrente simples: um estado, levado de passo em passo"
    ),
    "long short-term memory: gates decide what is kept, changed and shown": (
        "memória longa de curto prazo: portas decidem o que se guarda, muda e mostra"
    ),
    "gated recurrent units: one gate blends the old state with a new one": (
        "unidades recorrentes com portas: uma porta mistura o estado antigo com um novo"
    ),
    "a linear network on the words of a text and pairs of them, weighted by how rare each is (the default)": (
        "uma rede linear sobre as palavras de um texto e pares delas, pesadas por quão raras são (a escolha habitual)"
    ),
    "a text as the mean of its words' learnt vectors": "um texto como a média dos vetores aprendidos das suas palavras",
    "a small transformer encoder: every step of a sequence looks at all others": (
        "um pequeno codificador transformer: cada passo de uma sequência olha para todos os outros"
    ),
    "beside series no other columns are read": "ao lado de séries não se leem outras colunas",
    "Each step is {count} moments, so that a series of {length} has at most {most} steps.": (
        "Cada passo são {count} momentos, para que uma série de {length} tenha no máximo {most} passos."
    ),
    "a network that has learnt from ImageNet, carried over to few photographs": (
        "uma rede que aprendeu com a ImageNet, transportada para poucas fotografias"
    ),
    "By rule: {inputs} inputs, one per attribute (encoded as {features} features, and a bias to each layer); {outputs} "
    "{what}; one hidden layer with the mean of both, ({sum}) / 2, rounded half up: {neurons} neurons.": (
        "Por regra: {inputs} entradas, uma por atributo (codificadas como {features}, e um viés em cada camada); {outputs} "
        "{what}; uma camada escondida com a média de ambas, ({sum}) / 2, arredondada para cima: {neurons} neurónios."
    ),
    "output": "saída",
    "outputs": "saídas",
    "Training stopped after {epochs} epochs ({what}); best: {best}.": (
        "O treino parou após {epochs} épocas ({what}); a melhor: {best}."
    ),
    "The weights were computed, without an epoch of gradients.": "Os pesos foram calculados, sem épocas de gradientes.",
    "epochs": "épocas",
    "patience": "paciência",
    "budget": "tempo",
    "the loss is no longer a number": "a perda deixou de ser um número",
    "Baselines were fitted on {count} of {rows} training rows.": (
        "Os modelos de comparação foram ajustados em {count} de {rows} linhas de treino."
    ),
    "To keep the time budget, {name} is one model and not {folds} over folds.": (
        "Para respeitar o tempo dado, {name} é um só modelo e não {folds}, um por cada parte."
    ),
    "Left out, to keep the time budget: {names}.": "Omitido, para respeitar o tempo dado: {names}.",
    # The state of a run
    "training": "em treino",
    "judging": "em avaliação",
    "reporting": "a escrever o relatório",
    "done": "terminada",
    # How data were read
    "Column {place} has no name in the header; it is called '{name}'.": (
        "A coluna {place} não tem nome no cabeçalho; chama-se '{name}'."
    ),
    "The column name '{name}' occurs more than once; column {place} is called '{other}'.": (
        "O nome de coluna '{name}' ocorre mais de uma vez; a coluna {place} chama-se '{other}'."
    ),
    "The first line looks like data, not like a header; the columns are called {names}.": (
        "A primeira linha parece dados e não cabeçalho; as colunas chamam-se {names}."
    ),
    "The file is not UTF-8; it is read as {encoding}. If letters look wrong, save the file as UTF-8.": (
        "O ficheiro não está em UTF-8; é lido como {encoding}. Se houver letras erradas, guarde-o como UTF-8."
    ),
    "In the column '{name}', {words} is read as missing: all else is numbers or dates.": (
        "Na coluna '{name}', {words} é lido como em falta: tudo o resto são números ou datas."
    ),
    "In the column '{name}', {words} is kept as a value: all else is two-letter codes.": (
        "Na coluna '{name}', {words} fica como valor: tudo o resto são códigos de duas letras."
    ),
    "The first sheet, '{sheet}', is read; name another as table, or FILE::SHEET: {others}.": (
        "Lê-se a primeira folha, '{sheet}'; indique outra como tabela, ou FICHEIRO::FOLHA: {others}."
    ),
    "The index ({name}) is not used as a column. Write frame.reset_index() to keep it.": (
        "O índice ({name}) não é usado como coluna. Escreva frame.reset_index() para o manter."
    ),
    "The column '{name}' holds values of several types; they are read as text.": (
        "A coluna '{name}' contém valores de vários tipos; são lidos como texto."
    ),
    "The records are the list under '{name}'.": "Os registos são a lista em '{name}'.",
}
"""What steps say in a run, in English, and the same in Portuguese. A place called ``what`` holds one of them again."""
